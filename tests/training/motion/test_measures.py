"""The measures tell lips that follow speech from lips that do not."""

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, N_EMOTIONS, N_MOTION
from moee_cli.training.motion.measures import (
    Performance,
    auc,
    lip_figures,
    liveliness,
    settled_frames,
    share_at_rest,
    silent_frames,
)


@pytest.fixture
def talking(syllables):
    """Return a performance whose jaw is 0.4 on open vowels and 0 elsewhere."""
    phones = syllables(*("bilabial", "open") * 12)
    motion = np.zeros((140, N_MOTION), np.float32)
    for phone in phones:
        if phone.name == "open":
            motion[round(phone.start * 25) + 1 : round(phone.stop * 25), CHANNEL["jawOpen"]] = 0.4
    emotion = np.zeros((140, N_EMOTIONS), np.float32)
    emotion[:, 0] = 1.0
    return Performance(motion, phones, emotion)


def test_perfect_lips_score_perfectly(talking):
    found = lip_figures([talking])
    assert (found.auc, found.closed, found.falsely, found.lag) == (1.0, 1.0, 0.0, 0)
    assert (found.n_closures, found.n_vowels) == (12, 12)


def test_lips_out_of_step_score_badly(talking):
    assert lip_figures([talking], shift_s=0.16).auc < 0.2


def test_a_lag_is_found(talking):
    late = talking._replace(motion=np.roll(talking.motion, 2, axis=0))
    assert lip_figures([late]).lag == 2


def test_an_open_mouth_never_closes(talking):
    motion = talking.motion + 0.1
    motion[:, CHANNEL["mouthClose"]] = 0.0
    assert lip_figures([talking._replace(motion=motion)]).closed == 0.0


def test_auc_counts_pairs():
    assert auc(np.array([1.0, 3.0]), np.array([2.0, 0.0])) == pytest.approx(0.75)
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5
    assert np.isnan(auc(np.empty(0), np.ones(1)))


def test_silence_leaves_room_around_speech(syllables):
    silent = silent_frames(syllables("open", start=2.0, length=1.0), 150)
    assert silent[:40].all()
    assert not silent[45:82].any()
    assert silent[90:].all()


def test_a_mouth_that_moves_in_silence_is_not_at_rest(talking):
    still = talking._replace(phones=())._replace(motion=np.zeros_like(talking.motion))
    assert share_at_rest([still]) == 1.0
    assert share_at_rest([still._replace(motion=talking.motion)]) < 0.95


def test_frames_settle_after_a_change_of_emotion():
    emotion = np.zeros((120, N_EMOTIONS), np.float32)
    emotion[:30, 0] = emotion[30:, 1] = 1.0
    settled = settled_frames(emotion)
    assert settled[:30].all()
    assert not settled[30:69].any()
    assert settled[71:].all()


def test_a_face_that_moves_is_alive():
    motion = np.zeros((3, N_MOTION), np.float32)
    motion[1, CHANNEL["browInnerUp"]] = 0.2
    motion[2, CHANNEL["headYaw"]] = 0.2
    motion[2, CHANNEL["browInnerUp"]] = 0.2
    alive = liveliness(motion)
    assert alive[0] > 0.5
    assert alive[1] == 0.0
