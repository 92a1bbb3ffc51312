"""Speech and scenes that tests make themselves."""

import numpy as np
import pytest

from moee_cli.core.labels import EMOTIONS
from moee_cli.training.motion.phones import Phone
from moee_cli.training.motion.recording import Recording
from moee_cli.training.motion.teacher.acting import Scene

RATE = 16_000


@pytest.fixture
def syllables():
    """Return a function: one phone after the other from `start` on, each `length` seconds."""

    def make(*names, start=0.6, length=0.16):
        return tuple(Phone(name, start + i * length, start + (i + 1) * length) for i, name in enumerate(names))

    return make


@pytest.fixture
def scene():
    """Return a function: a scene with an ordinary voice and one emotion throughout."""

    def make(phones=(), n_frames=200, mix=None, *, head=1.0, free=0.0, blinks=15.0):
        emotion = np.zeros((n_frames, len(EMOTIONS)), np.float32)
        for name, weight in (mix or {}).items():
            emotion[:, EMOTIONS.index(name)] = weight
        emotion[:, 0] = 1.0 - emotion.sum(1)
        controls = np.tile(np.array([1.0, head, free, blinks], np.float32), (n_frames, 1))
        generator = np.random.default_rng(5)
        energy = (-30.0 + 4.0 * generator.standard_normal(n_frames)).astype(np.float32)
        pitch = (120.0 * 2.0 ** (0.2 * generator.standard_normal(n_frames))).astype(np.float32)
        return Scene(tuple(phones), energy, pitch, emotion, controls)

    return make


@pytest.fixture
def recording(syllables):
    """Return a function: a buzz that lasts `seconds`, with phones."""

    def make(seconds=1.5, hz=140.0):
        time = np.arange(int(seconds * RATE)) / RATE
        swell = 0.6 + 0.4 * np.sin(2 * np.pi * 4.0 * time)
        buzz = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 30))
        phones = syllables("bilabial", "open", "alveolar", "close_front", start=0.2)
        return Recording((0.2 * swell * buzz).astype(np.float32), phones, "drawn buzz")

    return make
