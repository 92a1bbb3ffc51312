"""One suite for every engine: an engine that passes here can be named in a script."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from moee_cli.audio.features import extract_features, silence
from moee_cli.core.labels import EMOTIONS, N_EMOTIONS
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import Drive, FrameFormat, NoiseSpan
from moee_cli.engines.base import HasPoses, SamplesTogether, create_engine
from moee_cli.engines.registry import check_options, engine_specs
from moee_cli.engines.runtime import Runtime
from moee_cli.face.portrait import load_portrait

FRAME = FrameFormat(256, 256)
PORTRAIT = Path(__file__).parents[2] / "examples" / "ana.png"
N, CONTEXT = 40, 20
TOTAL = N + 2 * CONTEXT


@pytest.fixture(scope="module", params=sorted(engine_specs()))
def spec(request):
    return engine_specs()[request.param]


@pytest.fixture(scope="module")
def studio(spec):
    """An engine with a prepared portrait."""
    engine = create_engine(spec, check_options(spec, {}), Runtime())
    with closing(engine):
        yield engine, engine.prepare(load_portrait(PORTRAIT, FRAME))


def buzz(n_motion):
    """A harmonic voice-like sound that opens and closes three times a second."""
    t = np.arange(n_motion * 640) / 16_000
    harmonics = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20))
    return (0.1 * harmonics * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)


def drive(emotion="neutral", intensity=1.0, *, speech=True, segment="a"):
    weights = np.zeros((TOTAL, N_EMOTIONS), np.float32)
    weights[:, EMOTIONS.index(emotion)] = intensity
    weights[:, 0] += 1 - weights.sum(1)
    return Drive(
        features=extract_features([buzz(TOTAL)], TOTAL) if speech else silence(TOTAL),
        emotion=weights,
        speech=np.full(TOTAL, float(speech), np.float32),
        head=np.ones(TOTAL, np.float32),
        gaze_free=np.zeros(TOTAL, np.float32),
        blinks=np.full(TOTAL, 15, np.float32),
        spans=(NoiseSpan(segment, 1, 0, TOTAL),),
        before=CONTEXT,
        n_frames=N,
        after=CONTEXT,
    )


def frames(studio, a_drive, every=8):
    engine, prepared = studio
    motion = engine.sample(prepared, a_drive, noise=NoiseSource(7))
    return np.stack(list(engine.draw(prepared, motion[::every])))


def test_motion_has_one_row_per_frame(studio):
    engine, prepared = studio
    motion = engine.sample(prepared, drive(), noise=NoiseSource(7))
    assert motion.dtype == np.float32
    assert len(motion) == N
    assert np.isfinite(motion).all()


def test_chunks_sampled_together_are_as_if_alone(studio):
    engine, prepared = studio
    if not isinstance(engine, SamplesTogether):
        pytest.skip("this engine samples one chunk at a time")
    drives = [drive("anger"), drive("fear", 0.5, segment="b")]
    together = engine.sample_together(prepared, drives, noise=NoiseSource(7))
    for one, motion in zip(drives, together, strict=True):
        np.testing.assert_allclose(engine.sample(prepared, one, noise=NoiseSource(7)), motion, atol=1e-5)


def test_frames_have_the_portraits_shape(studio):
    drawn = frames(studio, drive())
    assert drawn.shape == (N // 8, FRAME.height, FRAME.width, 3)
    assert drawn.dtype == np.uint8


def test_same_seed_same_frames(studio):
    np.testing.assert_array_equal(frames(studio, drive()), frames(studio, drive()))


def test_another_seed_or_segment_is_another_performance(studio):
    engine, prepared = studio
    base = engine.sample(prepared, drive(), noise=NoiseSource(7))
    assert not np.allclose(base, engine.sample(prepared, drive(), noise=NoiseSource(8)))
    assert not np.allclose(base, engine.sample(prepared, drive(segment="b"), noise=NoiseSource(7)))


@pytest.mark.parametrize("emotion", EMOTIONS[1:])
def test_every_emotion_is_seen(studio, emotion):
    neutral = frames(studio, drive()).astype(int)
    acted = frames(studio, drive(emotion)).astype(int)
    assert np.abs(acted - neutral).max() > 40


def test_silence_moves_the_mouth_less_than_speech(studio):
    def mouth_motion(a_drive):
        # ana's mouth lies in the lower middle of the frame.
        mouth = frames(studio, a_drive, every=2)[:, 130:170, 100:156].astype(int)
        return np.abs(np.diff(mouth, axis=0)).mean()

    assert mouth_motion(drive(speech=False)) < 0.3 * mouth_motion(drive())


def test_no_frames_asked_none_drawn(studio):
    engine, prepared = studio
    motion = engine.sample(prepared, drive(), noise=NoiseSource(7))
    assert list(engine.draw(prepared, motion[:0])) == []


def test_close_is_safe_twice_and_with_drawing_under_way(spec):
    engine = create_engine(spec, check_options(spec, {}), Runtime())
    prepared = engine.prepare(load_portrait(PORTRAIT, FRAME))
    motion = engine.sample(prepared, drive(), noise=NoiseSource(7))
    drawing = engine.draw(prepared, motion)
    next(drawing)
    drawing.close()
    engine.close()
    engine.close()


def test_specs_are_honest_and_light():
    code = (
        "import sys; from moee_cli.engines.registry import engine_specs; engine_specs(); print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_a_spec_says_what_a_reader_needs(spec):
    assert spec.summary
    assert spec.status
    assert spec.weights_licence
    assert spec.requirements.devices
    assert 0 <= spec.overlap < spec.chunk


def test_poses_for_a_sheet_are_motion(studio):
    engine, prepared = studio
    if not isinstance(engine, HasPoses):
        pytest.skip("shows no poses")
    motion = engine.sample(prepared, drive(), noise=NoiseSource(7))
    poses = engine.poses()
    assert {pose.motion.shape for pose in poses} == {motion.shape[1:]}
    assert len(list(engine.draw(prepared, poses[-1].motion[None]))) == 1
