from __future__ import annotations

from dataclasses import replace
from math import degrees

import numpy as np
import pytest

from moee_cli.audio.features import extract_features, silence
from moee_cli.core.labels import CHANNEL, COMPOUNDS, EMOTIONS, EXPERTS, GAZE, HEAD, MOTION_CHANNELS, SHAPES
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import AudioFeatures, Drive, NoiseSpan
from moee_cli.engines.motion.driver import drive_motion

LINE = [(".", 0.4), ("m", 0.08), ("a", 0.2), ("s", 0.12), ("i", 0.16), ("b", 0.08), ("a", 0.2), (".", 0.36)]
N_LINE = 40  # 1.6 s
BABA = [("a", 0.16), ("b", 0.08)] * 10
NOISE = NoiseSource(7)
MOUTH = [index for name, index in CHANNEL.items() if name.startswith(("mouth", "jaw"))]


def emotion_rows(n, **mix):
    row = [mix.get(name, 0.0) for name in EMOTIONS]
    row[0] = 1.0 - sum(row[1:])
    return np.tile(np.array(row, np.float32), (n, 1))


def drive_of(features, emotion=None, *, speech=1.0, head=1.0, gaze_free=0.0, blinks=15.0, spans=None):
    n = len(features)
    flat = np.ones(n, np.float32)
    return Drive(
        features=features,
        emotion=emotion_rows(n) if emotion is None else emotion,
        speech=flat * speech,
        head=flat * head,
        gaze_free=flat * gaze_free,
        blinks=flat * blinks,
        spans=spans or (NoiseSpan("a01", 1, 0, n),),
        before=0,
        n_frames=n,
        after=0,
    )


def cut(drive, start, stop, context=50):
    """The chunk [start, stop) of a long drive, as the sampler would see it."""
    low, high = max(0, start - context), min(len(drive), stop + context)
    span, spans, at = slice(low, high), [], 0
    for whole in drive.spans:
        first, last = max(low, at), min(high, at + len(whole))
        if first < last:
            spans.append(NoiseSpan(whole.id, whole.take, whole.start + first - at, whole.start + last - at))
        at += len(whole)
    rows = {name: getattr(drive, name)[span] for name in ("emotion", "speech", "head", "gaze_free", "blinks")}
    return Drive(
        features=drive.features[span], spans=tuple(spans), **rows,
        before=start - low, n_frames=stop - start, after=high - stop,
    )  # fmt: skip


def column(motion, name):
    return motion[:, CHANNEL[name]]


def aperture(motion):
    return column(motion, "jawOpen") - column(motion, "mouthClose")


def silent(n, **options):
    return drive_motion(drive_of(silence(n), **options), NOISE)


@pytest.fixture(scope="module")
def line(say):
    """Features of one spoken line with silence at both ends."""
    return extract_features([say(LINE)], N_LINE)


@pytest.fixture(scope="module")
def talk(say):
    """Features of 16 s: the line ten times."""
    return extract_features([np.tile(say(LINE), 10)], 10 * N_LINE)


# --- form -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 30])
def test_shape_type_and_limits(n):
    motion = silent(n, emotion=emotion_rows(n, anger=1.0))
    assert motion.shape == (n, len(MOTION_CHANNELS))
    assert motion.dtype == np.float32
    assert motion[:, : len(SHAPES)].min() >= 0.0
    assert motion[:, : len(SHAPES)].max() <= 1.0


def test_same_drive_same_bytes(talk):
    assert drive_motion(drive_of(talk), NOISE).tobytes() == drive_motion(drive_of(talk), NoiseSource(7)).tobytes()


def test_seed_and_take_give_another_performance(talk):
    plain = drive_motion(drive_of(talk), NOISE)
    other_seed = drive_motion(drive_of(talk), NoiseSource(8))
    other_take = drive_motion(drive_of(talk, spans=(NoiseSpan("a01", 2, 0, len(talk)),)), NOISE)
    for other in (other_seed, other_take):
        assert np.abs(other - plain)[:, CHANNEL["headYaw"]].max() > 0.01
        np.testing.assert_allclose(aperture(other), aperture(plain), atol=1e-6)  # the words stay the same


# --- speech ---------------------------------------------------------------------------------------------------------


def test_vowels_open_closures_shut_silence_rests(line):
    motion = drive_motion(drive_of(line), NOISE)
    opening = aperture(motion)
    assert opening[13:16].min() > 0.15  # first a, 0.48..0.68 s
    assert opening[21:26].min() < 0.01  # b at 0.96 s
    assert column(motion, "mouthUpperUpLeft")[21:26].min() < 0.01
    assert opening.max() < 0.55


def test_mouth_is_exactly_at_rest_in_silence(line):
    motion = drive_motion(drive_of(line), NOISE)
    for still in (motion[:5], motion[-4:], silent(200)):
        assert np.abs(still[:, MOUTH]).max() == 0.0


def test_every_closure_of_fast_speech_is_seen(say):
    motion = drive_motion(drive_of(extract_features([say([*BABA, ("a", 0.2)])], 65)), NOISE)
    opening = aperture(motion)
    centres = [round((0.24 * i + 0.20) * 25) for i in range(10)]
    shut = [opening[max(0, at - 1) : at + 2].min() for at in centres]
    wide = [opening[round((0.24 * i + 0.08) * 25)] for i in range(10)]
    assert max(shut) < 0.02
    assert min(wide) > 0.12


@pytest.mark.parametrize("emotion", EXPERTS)
def test_closures_close_in_every_emotion(say, emotion):
    features = extract_features([say(BABA)], 60)
    motion = drive_motion(drive_of(features, emotion_rows(60, **{emotion: 1.0})), NOISE)
    shut = [aperture(motion)[round((0.24 * i + 0.20) * 25)] for i in range(1, 9)]
    assert np.mean(shut) < 0.02


def test_mouth_is_in_time_with_the_sound(say):
    rng = np.random.default_rng(3)
    gaps = rng.uniform(0.12, 0.3, 40)
    phones = [phone for gap in gaps for phone in (("a", float(gap)), ("b", 0.09))]
    wave = say(phones)
    opening = aperture(drive_motion(drive_of(extract_features([wave], len(wave) // 640)), NOISE))
    truth = np.concatenate([np.full(round(seconds * 1000), name == "a") for name, seconds in phones])

    def agreement(lag_ms):
        times = np.arange(10, len(opening) - 20) * 40
        return np.corrcoef(opening[10:-20], truth[np.clip(times - lag_ms, 0, len(truth) - 1)])[0, 1]

    lags = list(range(-200, 201, 10))
    best = max(lags, key=agreement)
    assert abs(best) <= 40
    assert agreement(0) > 0.75
    assert agreement(430) < 0.4


def test_pause_holds_the_mouth_even_over_sound(talk):
    motion = drive_motion(drive_of(talk, speech=0.0), NOISE)
    assert np.abs(motion[:, MOUTH]).max() == 0.0


@pytest.mark.parametrize("kind", ["zeros", "white", "offset", "square"])
def test_strange_audio_gives_usable_motion(kind):
    n = 60 * 640
    wave = {
        "zeros": np.zeros(n),
        "white": np.random.default_rng(0).uniform(-1, 1, n),
        "offset": np.ones(n),
        "square": np.sign(np.sin(2 * np.pi * 140 * np.arange(n) / 16000)),
    }[kind]
    motion = drive_motion(drive_of(extract_features([wave.astype(np.float32)], 60)), NOISE)
    assert np.isfinite(motion).all()
    assert aperture(motion).max() < 0.65
    if kind != "square":
        assert np.abs(motion[:, MOUTH]).max() == 0.0


def test_mouth_does_not_jitter_on_a_held_vowel(say):
    held = extract_features([say([(".", 0.4), ("a", 3.0), (".", 0.4)])], 95)
    opening = aperture(drive_motion(drive_of(held), NOISE))[20:75]
    assert opening.min() > 0.15
    assert np.abs(np.diff(opening)).max() < 0.02


# --- emotion --------------------------------------------------------------------------------------------------------

SIGNS = {
    "happiness": ["mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft"],
    "sadness": ["browInnerUp", "mouthFrownLeft", "mouthFrownRight"],
    "anger": ["browDownLeft", "browDownRight", "mouthPressLeft"],
    "disgust": ["noseSneerLeft", "noseSneerRight", "mouthUpperUpLeft"],
    "fear": ["browInnerUp", "eyeWideLeft", "mouthStretchRight"],
    "surprise": ["browOuterUpLeft", "eyeWideRight", "jawOpen"],
}


@pytest.mark.parametrize("emotion", EXPERTS)
def test_intensity_is_monotone(emotion):
    steps = np.stack(
        [silent(40, emotion=emotion_rows(40, **{emotion: share}), blinks=0) for share in (0, 0.25, 0.5, 0.75, 1)]
    )
    for name in SIGNS[emotion]:
        assert np.diff(steps[:, :, CHANNEL[name]], axis=0).min() > 0.0, name
    np.testing.assert_allclose(steps[0][:, MOUTH], 0.0)


def test_emotions_differ_from_each_other_and_from_neutral():
    poses = {
        name: silent(30, emotion=emotion_rows(30, **{name: 0.5}), blinks=0)[:, : len(SHAPES)].mean(0)
        for name in EXPERTS
    }
    poses["neutral"] = silent(30, blinks=0)[:, : len(SHAPES)].mean(0)
    names = list(poses)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            assert np.linalg.norm(poses[one] - poses[other]) > 0.3, (one, other)


def test_neutral_looks_neutral():
    assert silent(200, blinks=0)[:, : len(SHAPES)].max() < 0.06


@pytest.mark.parametrize("name", COMPOUNDS)
def test_compounds_lie_between_their_parts(name):
    mix = COMPOUNDS[name]
    shapes = slice(0, len(SHAPES))
    whole = silent(20, emotion=emotion_rows(20, **mix), blinks=0)[:, shapes]
    parts = np.stack([silent(20, emotion=emotion_rows(20, **{part: 1.0}), blinks=0)[:, shapes] for part in mix])
    assert (whole >= parts.min(0) - 0.02).all()
    assert (whole <= parts.max(0) + 0.02).all()


def test_expression_is_never_frozen():
    motion = silent(250, emotion=emotion_rows(250, sadness=1.0), blinks=0)
    brow = column(motion, "browInnerUp")
    assert 0.005 < brow.std() < 0.1
    assert np.abs(np.diff(brow)).max() < 0.02


def test_smile_survives_speech_and_widens_it(talk):
    plain = drive_motion(drive_of(talk), NOISE)
    happy = drive_motion(drive_of(talk, emotion_rows(len(talk), happiness=1.0)), NOISE)
    spoken = aperture(plain) > 0.15
    gain = column(happy, "mouthSmileLeft") - column(plain, "mouthSmileLeft")
    assert gain[spoken].min() > 0.2


def test_surprise_jaw_makes_way_for_words(talk):
    surprised = emotion_rows(len(talk), surprise=1.0)
    apart = drive_motion(drive_of(talk, surprised), NOISE)
    assert column(apart, "jawOpen").max() < 0.66
    spoken = aperture(drive_motion(drive_of(talk), NOISE)) > 0.15
    extra = column(apart, "jawOpen") - column(drive_motion(drive_of(talk), NOISE), "jawOpen")
    assert extra[spoken].mean() < 0.6 * silent(50, emotion=surprised[:50])[:, CHANNEL["jawOpen"]].mean()


# --- life -----------------------------------------------------------------------------------------------------------


def blink_starts(motion):
    shut = column(motion, "eyeBlinkLeft") > 0.5
    return np.flatnonzero(shut[1:] & ~shut[:-1]) + 1


@pytest.mark.parametrize("rate", [8, 15, 25])
def test_blinks_come_at_the_asked_rate_and_never_crowd(rate):
    minutes = 8
    motion = silent(1500 * minutes, blinks=rate)
    starts = blink_starts(motion)
    assert len(starts) / minutes == pytest.approx(rate, rel=0.25)
    assert np.diff(starts).min() >= 24
    assert np.diff(starts).std() > 10  # people are no clocks


def test_blinks_are_whole_short_and_of_both_eyes():
    motion = silent(1500, blinks=15)
    left, right = column(motion, "eyeBlinkLeft"), column(motion, "eyeBlinkRight")
    for start in blink_starts(motion):
        near = slice(start - 4, start + 12)
        assert left[near].max() > 0.9
        assert np.count_nonzero(left[near] > 0.05) in range(6, 13)
        assert np.abs(left[near] - right[near]).max() < 0.15


def test_no_blinks_when_none_are_wanted():
    assert silent(3000, blinks=0)[:, CHANNEL["eyeBlinkLeft"]].max() == 0.0


def test_more_blinks_than_fit_still_come():
    starts = blink_starts(silent(3000, blinks=50))
    assert 70 < len(starts) < 110


def test_head_sways_a_little_and_smoothly(talk):
    motion = drive_motion(drive_of(talk), NOISE)
    turn = np.degrees(motion[:, [CHANNEL[name] for name in HEAD[:3]]])
    assert np.abs(turn).max() < 5.0
    assert (turn.std(0) > 0.2).all()
    assert np.abs(np.diff(turn, axis=0)).max() < 0.7


def test_head_gain_zero_is_perfectly_still(talk):
    motion = drive_motion(drive_of(talk, emotion_rows(len(talk), sadness=1.0), head=0.0), NOISE)
    assert np.abs(motion[:, [CHANNEL[name] for name in HEAD]]).max() == 0.0


def test_head_gain_changes_without_a_jump(talk):
    drive = drive_of(talk, emotion_rows(len(talk), sadness=1.0))
    head = np.where(np.arange(len(talk)) < 200, 1.0, 0.0).astype(np.float32)
    motion = drive_motion(replace(drive, head=head), NOISE)
    turns = motion[:, [CHANNEL[name] for name in HEAD[:3]]]
    assert np.abs(turns[200:]).max() == 0.0
    assert degrees(np.abs(np.diff(turns, axis=0)).max()) < 1.2


def test_sad_heads_hang():
    sad = silent(200, emotion=emotion_rows(200, sadness=1.0))
    assert column(sad, "headPitch").mean() < column(silent(200), "headPitch").mean() - 0.03


def test_eyes_hold_the_camera_or_wander():
    def looking(motion):
        return motion[:, CHANNEL["gazeYaw"]] + motion[:, CHANNEL["headYaw"]]

    held, free = looking(silent(1500)), looking(silent(1500, gaze_free=1.0))
    assert degrees(np.abs(held).max()) < 2.0
    assert 2.0 < degrees(free.std()) < 8.0
    assert degrees(held.std()) > 0.05


def test_nothing_jumps_in_idle():
    motion = silent(1500)
    steps = np.abs(np.diff(motion, axis=0))
    lids = [CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]
    assert steps[:, lids].max() < 0.7
    eyes = [CHANNEL[name] for name in GAZE]
    assert np.delete(steps, lids + eyes, axis=1).max() < 0.02


# --- chunks ---------------------------------------------------------------------------------------------------------


def scene(talk):
    """Two segments with different settings, as one long drive."""
    n = len(talk)
    first = n // 2
    where = (np.arange(n) >= first).astype(np.float32)
    emotion = emotion_rows(n, happiness=0.8)
    emotion[first:] = emotion_rows(n - first, sadness=0.6, fear=0.4)
    drive = drive_of(talk, emotion, spans=(NoiseSpan("a", 1, 0, first), NoiseSpan("b", 1, 0, n - first)))
    return replace(drive, head=1.0 - 0.6 * where, gaze_free=where, blinks=np.float32(25) - 10 * where)


@pytest.mark.parametrize("cuts", [(0, 100), (88, 188), (120, 220), (300, 400)])
def test_a_chunk_equals_the_whole(talk, cuts):
    drive = scene(talk)
    whole = drive_motion(drive, NOISE)
    start, stop = cuts
    np.testing.assert_allclose(drive_motion(cut(drive, start, stop), NOISE), whole[start:stop], atol=2e-5)


def test_far_away_changes_do_not_reach(talk):
    drive = scene(talk)
    other = AudioFeatures.join([talk[:300], silence(len(talk) - 300)])
    changed = replace(drive, features=other, spans=(drive.spans[0], NoiseSpan("c", 3, 0, len(drive.spans[1]))))
    before, after = drive_motion(drive, NOISE), drive_motion(changed, NOISE)
    np.testing.assert_allclose(after[:140], before[:140], atol=2e-5)
    assert np.abs(after[210:] - before[210:]).max() > 0.1


def test_a_line_keeps_its_performance_wherever_it_stands(talk):
    n = 200
    alone = drive_of(talk[:n], spans=(NoiseSpan("x", 1, 0, 100), NoiseSpan("line", 1, 0, 100)))
    moved = drive_of(talk[:n], spans=(NoiseSpan("other", 1, 40, 140), NoiseSpan("line", 1, 0, 100)))
    np.testing.assert_allclose(drive_motion(moved, NOISE)[150:], drive_motion(alone, NOISE)[150:], atol=2e-5)
    assert np.abs(drive_motion(moved, NOISE)[:100] - drive_motion(alone, NOISE)[:100]).max() > 0.01
