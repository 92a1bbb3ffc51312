"""The teacher: lips that meet what is said, faces that feel what they are told, and performances that differ."""

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, EMOTIONS, EXPERTS, GAZE, HEAD, SHAPES
from moee_cli.engines.motion.poses import channels, emotion_poses
from moee_cli.training.motion.measures import Performance, aperture, liveliness, share_at_rest, silent_frames
from moee_cli.training.motion.phones import Phone
from moee_cli.training.motion.teacher.acting import act
from moee_cli.training.motion.teacher.articulation import Manner, articulate
from moee_cli.training.motion.teacher.expression import mixed_poses
from moee_cli.training.motion.teacher.eyes import blink_times

HEAD_COLUMNS = [CHANNEL[name] for name in HEAD]
GAZE_COLUMNS = [CHANNEL[name] for name in GAZE]
VOWELS = ("open", "open_front", "mid_back", "close_front", "close_back", "central")


def acted(scene, seed=0):
    return act(scene, np.random.default_rng(seed))


@pytest.mark.parametrize("emotion", EMOTIONS)
@pytest.mark.parametrize("offset", [0.0, 0.013, 0.027])
def test_lips_close_wherever_a_closure_falls(scene, syllables, emotion, offset):
    """Also for closures of 50 ms that lie between two frames, under every emotion, after every vowel."""
    phones, at = [], 0.5 + offset
    for vowel in VOWELS:
        phones += [Phone(vowel, at, at + 0.15), Phone("bilabial", at + 0.15, at + 0.2)]
        at += 0.2
    mix = {} if emotion == "neutral" else {emotion: 1.0}
    opening = aperture(acted(scene(phones, 100, mix)))
    for phone in phones:
        if phone.name == "bilabial":
            near = opening[int(phone.start * 25) : int(phone.stop * 25) + 2]
            assert near.min() < 0.01
    assert np.percentile(opening, 95) > 0.15


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_the_lower_lip_meets_the_teeth(scene, syllables, emotion):
    phones = syllables("open", "labiodental", "open")
    motion = acted(scene(phones, 60, {} if emotion == "neutral" else {emotion: 1.0}))
    frame = round((phones[1].start + 0.07) * 25)
    assert motion[frame, CHANNEL["mouthRollLower"]] > 0.25
    assert motion[frame, CHANNEL["jawOpen"]] < 0.12


def test_rounding_begins_before_it_is_heard(syllables):
    phones = syllables("sibilant", "alveolar", "close_back", length=0.12)
    motion = articulate(phones, 60, Manner()).spoken
    pucker = motion[:, CHANNEL["mouthPucker"]]
    assert pucker[round(phones[1].start * 25)] > 0.15 * pucker.max()


def test_a_consonant_takes_the_jaw_of_its_neighbours(syllables):
    middle = round((0.6 + 0.5 * 0.16 + 0.16) * 25)
    heights = [
        articulate(syllables(vowel, "glottal", vowel), 60, Manner()).spoken[middle, CHANNEL["jawOpen"]]
        for vowel in ("open", "close_front")
    ]
    assert heights[0] > 1.8 * heights[1]


def test_spread_vowels_are_wide_and_round_ones_narrow(syllables):
    wide, narrow = (
        articulate(syllables(vowel, length=0.3), 60, Manner()).spoken[18] for vowel in ("close_front", "close_back")
    )
    assert wide[CHANNEL["mouthStretchLeft"]] > narrow[CHANNEL["mouthStretchLeft"]] + 0.1
    assert narrow[CHANNEL["mouthPucker"]] > wide[CHANNEL["mouthPucker"]] + 0.4


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_silent_mouth_rests_and_the_face_lives(scene, syllables, emotion):
    given = scene(syllables("open", "bilabial", "open"), 300, {} if emotion == "neutral" else {emotion: 1.0})
    motion = acted(given)
    assert share_at_rest([Performance(motion, given.phones, given.emotion)]) >= 0.95
    alive = liveliness(motion)[silent_frames(given.phones, 300)[1:]]
    assert (alive > 0.02).mean() > 0.9


def test_the_mouth_opens_before_the_sound(syllables):
    phones = syllables("open", length=0.3)
    opening = articulate(phones, 60, Manner()).spoken[:, CHANNEL["jawOpen"]]
    assert opening[round(phones[0].start * 25) - 1] > 0.05
    assert opening[: round((phones[0].start - 0.25) * 25)].max() == 0.0


@pytest.mark.parametrize("emotion", EXPERTS)
def test_intensity_is_monotone_and_nothing_is_neutral(emotion):
    poses, column = emotion_poses(), EMOTIONS.index(emotion)
    weights = np.zeros((11, len(EMOTIONS)), np.float32)
    weights[:, column] = np.linspace(0.0, 1.0, 11)
    weights[:, 0] = 1.0 - weights[:, column]
    shown = mixed_poses(weights, poses)[:, : len(SHAPES)]
    assert np.all(shown[0] == 0.0)
    assert np.all(np.diff(shown.sum(1)) > 0)
    np.testing.assert_allclose(shown[-1], poses[column, : len(SHAPES)], atol=1e-6)


@pytest.mark.parametrize("parts", [("happiness", "surprise"), ("fear", "anger"), ("sadness", "disgust")])
def test_a_compound_lies_between_its_parts(parts):
    poses = emotion_poses()
    first, second = (EMOTIONS.index(name) for name in parts)
    weights = np.zeros((1, len(EMOTIONS)), np.float32)
    weights[0, [first, second]] = 0.5
    shown = mixed_poses(weights, poses)[0, : len(SHAPES)]
    one, other = poses[first, : len(SHAPES)], poses[second, : len(SHAPES)]
    assert np.all(shown <= np.maximum(one, other) + 1e-6)
    assert np.all(shown >= np.minimum(one, other) - 1e-6)


def test_an_expression_comes_on_within_a_second_of_its_emotion(scene):
    given = scene((), 150)
    given.emotion[60:] = 0.0
    given.emotion[60:, EMOTIONS.index("happiness")] = 1.0
    smile = np.mean([acted(given, seed)[:, channels("mouthSmile")].mean(1) for seed in range(8)], axis=0)
    assert smile[:55].max() < 0.1
    assert smile[70] > 0.4
    assert smile[68:80].max() > smile[110:].mean()


def test_performances_differ_in_life_and_not_in_closures(scene, syllables):
    given = scene(syllables(*("open", "bilabial", "mid_front", "alveolar") * 6), 150, free=1.0)
    first, second = acted(given, 1), acted(given, 2)
    assert np.abs(first[:, HEAD_COLUMNS] - second[:, HEAD_COLUMNS]).max() > 0.02
    assert np.abs(first[:, GAZE_COLUMNS] - second[:, GAZE_COLUMNS]).max() > 0.02
    shut = [
        motion[:, CHANNEL["mouthClose"]] > 0.98 * np.maximum(motion[:, CHANNEL["jawOpen"]], 0.02)
        for motion in (first, second)
    ]
    assert shut[0].sum() >= 6
    np.testing.assert_array_equal(*shut)


def test_the_same_generator_gives_the_same_performance(scene, syllables):
    given = scene(syllables("open", "bilabial", "open"), 100, {"anger": 0.5})
    np.testing.assert_array_equal(acted(given, 3), acted(given, 3))


def test_motion_is_within_its_ranges(scene, syllables):
    given = scene(
        syllables(*("open", "bilabial", "close_back") * 8), 200, {"surprise": 1.0}, head=1.5, free=1.0, blinks=30
    )
    motion = acted(given)
    assert motion.dtype == np.float32
    assert motion[:, : len(SHAPES)].min() >= 0.0
    assert motion[:, : len(SHAPES)].max() <= 1.0
    assert np.abs(motion[:, HEAD_COLUMNS[:3]]).max() < np.radians(14)


def test_no_head_motion_means_a_still_head(scene, syllables):
    motion = acted(scene(syllables("open", "open"), 100, {"anger": 1.0}, head=0.0))
    assert np.all(motion[:, HEAD_COLUMNS] == 0.0)


def test_more_head_moves_more(scene, syllables):
    half, full = (
        np.ptp(acted(scene(syllables(*("open", "bilabial") * 15), 200, head=gain))[:, HEAD_COLUMNS[:3]], axis=0)
        for gain in (0.5, 1.0)
    )
    np.testing.assert_allclose(2.0 * half, full, rtol=1e-3)


@pytest.mark.parametrize("rate", [0.0, 8.0, 15.0, 30.0])
def test_blinks_come_as_often_as_asked(rate):
    n_minutes = 30
    times = blink_times(np.full(n_minutes * 1500, rate, np.float32), (), np.random.default_rng(0))
    assert len(times) / n_minutes == pytest.approx(rate, rel=0.12)


def test_the_eyes_keep_the_camera_and_leave_it_when_free(scene):
    kept, free = (acted(scene((), 1500, free=share, head=0.0))[:, GAZE_COLUMNS] for share in (0.0, 1.0))
    assert np.abs(kept).max() < np.radians(4)
    assert np.abs(free).max() > np.radians(7)


def test_gaze_turns_against_the_head(scene):
    motion = acted(scene((), 1000, head=1.5))
    assert np.corrcoef(motion[:, CHANNEL["headYaw"]], motion[:, CHANNEL["gazeYaw"]])[0, 1] < -0.7


def test_an_empty_scene_has_no_frames(scene):
    assert acted(scene((), 0)).shape == (0, 52)
