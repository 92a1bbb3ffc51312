"""From a motion frame to field weights: ranges, the eight eyeLook shapes, shapes that share room."""

from __future__ import annotations

import numpy as np
import pytest

from moee_cli.core.labels import ARKIT_BLENDSHAPES, CHANNEL, N_MOTION, SHAPES
from moee_cli.face.controls import FULL_LOOK, arkit_of, bounded, field_weights, motion_of


def frame(**channels: float) -> np.ndarray:
    """Return a motion frame; a name without side sets both."""
    motion = np.zeros(N_MOTION, np.float32)
    for name, value in channels.items():
        for full in (name,) if name in CHANNEL else (f"{name}Left", f"{name}Right"):
            motion[CHANNEL[full]] = value
    return motion


def looks(motion: np.ndarray) -> dict[str, float]:
    """Return the eyeLook shapes of a motion frame that are not 0."""
    named = zip(ARKIT_BLENDSHAPES, arkit_of(motion).tolist(), strict=True)
    return {name: value for name, value in named if name.startswith("eyeLook") and value}


# --- eyeLook --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gaze", "expected"),
    [
        ({"gazeYaw": FULL_LOOK}, {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}),
        ({"gazeYaw": -FULL_LOOK}, {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0}),
        ({"gazePitch": FULL_LOOK / 2}, {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}),
        ({"gazePitch": -FULL_LOOK}, {"eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0}),
        ({}, {}),
    ],
)
def test_the_gaze_turns_the_eyes_the_way_the_shapes_say(gaze, expected):
    assert looks(frame(**gaze)) == expected


def test_shapes_and_gaze_come_back_exactly():
    random = np.random.default_rng(3)
    motion = random.random((200, N_MOTION), np.float32)
    motion[:, 44:50] = 0.0
    motion[:, 50:] = random.uniform(-FULL_LOOK, FULL_LOOK, (200, 2))
    shapes = arkit_of(motion)
    np.testing.assert_array_equal(motion_of(shapes), motion)
    np.testing.assert_array_equal(arkit_of(motion_of(shapes)), shapes)
    assert shapes.min() >= 0.0
    assert shapes.max() <= 1.0


def test_eyes_that_look_apart_meet_in_the_middle():
    shapes = np.zeros(52, np.float32)
    shapes[ARKIT_BLENDSHAPES.index("eyeLookInLeft")] = shapes[ARKIT_BLENDSHAPES.index("eyeLookInRight")] = 0.8
    shapes[ARKIT_BLENDSHAPES.index("eyeLookUpLeft")] = 1.0
    motion = motion_of(shapes)
    assert motion[CHANNEL["gazeYaw"]] == 0.0
    assert motion[CHANNEL["gazePitch"]] == FULL_LOOK / 2


def test_shapes_keep_their_arkit_places():
    for index, name in enumerate(ARKIT_BLENDSHAPES):
        shapes = np.zeros(52, np.float32)
        shapes[index] = 1.0
        if name in CHANNEL:
            np.testing.assert_array_equal(np.flatnonzero(motion_of(shapes)), [CHANNEL[name]])


def test_a_closed_lid_follows_the_gaze_no_more():
    weights = field_weights(frame(gazePitch=-0.3, gazeYaw=0.2, eyeBlinkLeft=1.0), 0)[len(SHAPES) :]
    assert not weights[:3].any()
    np.testing.assert_allclose(weights[3:], [0.0, 0.3, 0.2], rtol=1e-6)


# --- shapes that share room -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_alone_stays_as_it_is(name):
    for amount in (0.3, 0.6):
        if name == "mouthClose":
            assert bounded(frame(jawOpen=0.6, mouthClose=amount))[CHANNEL[name]] == pytest.approx(amount)
        else:
            assert bounded(frame(**{name: amount}))[CHANNEL[name]] == pytest.approx(amount)
    if name not in {"jawOpen", "mouthClose"}:
        assert bounded(frame(**{name: 1.0}))[CHANNEL[name]] == 1.0


def test_a_full_smile_stays_whole_on_both_sides():
    held = bounded(frame(mouthSmile=1.0, cheekSquint=1.0, eyeSquint=0.5))
    np.testing.assert_array_equal(held, frame(mouthSmile=1.0, cheekSquint=1.0, eyeSquint=0.5))


def test_crowding_shapes_yield_and_jaw_and_seal_do_not():
    crowd = {"mouthFunnel": 1.0, "mouthPucker": 1.0, "mouthLowerDown": 1.0, "jawOpen": 0.55, "mouthClose": 0.5}
    held = bounded(frame(**crowd))
    for name in ("mouthFunnel", "mouthPucker", "mouthLowerDownLeft", "mouthLowerDownRight"):
        assert 0.2 < held[CHANNEL[name]] < 0.95
    assert held[CHANNEL["jawOpen"]] == pytest.approx(0.55)
    assert held[CHANNEL["mouthClose"]] == pytest.approx(0.5)


def test_one_side_leaves_the_other_alone():
    held = bounded(frame(mouthSmileLeft=1.0, mouthStretchLeft=1.0, mouthDimpleLeft=1.0, mouthSmileRight=1.0))
    assert held[CHANNEL["mouthSmileLeft"]] < 1.0
    assert held[CHANNEL["mouthSmileRight"]] == 1.0


def test_what_comes_out_grows_smoothly_with_what_goes_in():
    random = np.random.default_rng(5)
    for _ in range(25):
        base = np.zeros(N_MOTION, np.float32)
        base[: len(SHAPES)] = random.random(len(SHAPES)) < 0.4
        base[CHANNEL["mouthClose"]] = 0.0
        grown = random.integers(len(SHAPES))
        if SHAPES[grown].startswith(("eye", "jawOpen", "mouthClose")):
            continue
        sweep = np.tile(base, (61, 1))
        sweep[:, grown] = np.linspace(0.0, 1.0, 61)
        held = np.array([bounded(motion) for motion in sweep])
        steps = np.diff(held, axis=0)
        assert steps[:, grown].min() >= -1e-6, SHAPES[grown]
        assert np.abs(steps).max() < 0.05, SHAPES[grown]
