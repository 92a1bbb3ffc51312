"""Eyes: lids that close, eyeballs that open up and turn, on the example portraits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, N_MOTION
from moee_cli.core.types import FrameFormat
from moee_cli.face.controls import bounded, head_of, motion_frame
from moee_cli.face.portrait import load_portrait
from moee_cli.face.pose import HeadPose
from moee_cli.face.renderer import FaceRenderer

EYE_CHANNELS = [name for name in CHANNEL if name.startswith(("eye", "brow", "gaze", "cheek", "noseSneer"))]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BLINKS = np.linspace(0.0, 1.0, 11)


@pytest.fixture(scope="module", params=["ana", "kofi"])
def renderer(request):
    return FaceRenderer(load_portrait(EXAMPLES / f"{request.param}.png", FrameFormat(512, 512)))


def gaps(renderer, frame):
    """Return the distance in units between the lids of each eye along the slit, [2, M]."""
    held = bounded(frame)
    weights, pose = renderer._weights(held), HeadPose(head_of(held))
    lids = [eye.lids(weights, pose) for eye in renderer._eyes]
    return np.stack([(lower - upper)[:, 1] for upper, lower in lids]) / renderer._unit


def column_gaps(renderer, eye, frame):
    """Return the distance in units between the lids of one eye in columns from corner to corner, [M]."""
    held = bounded(frame)
    upper, lower = eye.lids(renderer._weights(held), HeadPose(head_of(held)))
    columns = np.linspace(upper[0, 0], upper[-1, 0], 60)
    top, bottom = (np.interp(columns, *lid.T) for lid in (upper, lower))
    return (bottom - top) / renderer._unit


def test_a_blink_closes_the_lids_evenly(renderer):
    """The way of the lids is the blink from its start on, without a snap; it is shut a little before its end."""
    middle = np.array([gaps(renderer, motion_frame(eyeBlink=blink))[:, 12:-12].mean(1) for blink in BLINKS])
    share = middle / middle[0]
    assert np.abs(share - (1.0 - BLINKS)[:, None]).max() < 0.14, share
    assert (np.diff(share[:-1], axis=0) < 0).all()


def test_the_eyeball_behind_the_lids_has_no_lashes(renderer):
    """A lid that lifts, or an iris that moves away, uncovers white: no dark of lashes stays behind."""
    for eye in renderer._eyes:
        ball, place = eye._ball, eye._ball._eye
        under_lid = (place.rows > place.top) & (place.rows < place.top + 0.02 * eye.unit)
        beside = (ball._eye.away(ball._iris.centre) > 1.2 * ball._iris.radius) & (place.inwards > 0.06 * eye.unit)
        lashes, white = (picture[under_lid & beside].mean(1) for picture in (place.pixels, ball.clean))
        level = np.percentile(place.pixels[(place.rows > place.top) & (place.rows < place.bottom) & beside].mean(1), 80)
        assert np.percentile(lashes, 20) < 0.4 * level  # the photo has them there
        assert np.percentile(white, 5) > 0.75 * level


def test_lids_do_not_cross(renderer):
    """Whatever is asked of lids, brows, gaze and cheeks together; and a blink shuts them all the same."""
    rng = np.random.default_rng(5)
    for i in range(150):
        frame = np.zeros(N_MOTION, np.float32)
        for name in EYE_CHANNELS:
            value = rng.uniform(-0.6, 0.6) if name.startswith("gaze") else rng.uniform(0.0, 1.0)
            # Every other time corners of the space: there shapes add up.
            frame[CHANNEL[name]] = np.round(value) if i % 2 and not name.startswith("gaze") else value
        assert gaps(renderer, frame).min() >= 0.0
        frame[[CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]] = 1.0
        assert gaps(renderer, frame).max() < 0.02


def test_eyes_photographed_shut_stay_shut(renderer, saved):
    """Neither a blink nor a gaze nor wide eyes change what the picture shows: nothing is known of the eye behind."""
    asleep = FaceRenderer(load_portrait(saved(renderer.draw(motion_frame(eyeBlink=1.0))), FrameFormat(512, 512)))
    rest = asleep.draw(motion_frame()).astype(np.float32)
    for channels in ({"eyeBlink": 1.0}, {"eyeWide": 1.0}, {"gazeYaw": 0.4}, {"gazePitch": -0.3}, {"gazePitch": 0.3}):
        change = np.abs(asleep.draw(motion_frame(**channels)) - rest)
        for eye in asleep._eyes:
            box = eye.box
            assert change[box.y : box.y + box.height, box.x : box.x + box.width].max() < 4, channels


@pytest.mark.parametrize("degrees", [-40, 36])
def test_a_blink_shuts_both_eyes_of_a_turned_head(degrees):
    """The far eye is seen from the side, bulging over its own corner."""
    portrait = load_portrait(EXAMPLES / "ana.png", FrameFormat(512, 512))
    points, turn = portrait.landmarks.copy(), np.radians(degrees)
    x, z = points[:, 0] - points[4, 0], points[:, 2] - points[4, 2]
    points[:, 0] = points[4, 0] + np.cos(turn) * x + np.sin(turn) * z
    points[:, 2] = points[4, 2] + np.cos(turn) * z - np.sin(turn) * x
    renderer = FaceRenderer(replace(portrait, landmarks=points, layers=None))
    for eye in renderer._eyes:
        rest, shut = (column_gaps(renderer, eye, motion_frame(eyeBlink=blink)).max() for blink in (0.0, 1.0))
        assert shut < 0.25 * rest


def test_white_in_shadow_stays_in_shadow_when_the_eye_turns():
    """Under a brow or beside a nose the corner is dark; turned away, the iris leaves no flash of white there."""
    portrait = load_portrait(EXAMPLES / "ana.png", FrameFormat(512, 512))
    left = FaceRenderer(portrait)._eyes[0]
    iris = left._ball._iris
    columns = np.arange(512) + 0.5 - iris.centre[0]
    light = 1.0 - 0.6 * np.clip((columns - 0.8 * iris.radius) / 4.0, 0.0, 1.0)
    shaded = (portrait.pixels * light[None, :, None]).astype(np.uint8)
    part = np.s_[
        left.box.y : left.box.y + left.box.height,
        round(iris.centre[0] + 1.3 * iris.radius) : left.box.x + left.box.width,
    ]
    away = motion_frame(gazeYaw=-0.5)
    lit, dark = (
        FaceRenderer(replace(portrait, pixels=pixels, layers=None)).draw(away)[part]
        for pixels in (portrait.pixels, shaded)
    )
    assert dark.max() < 0.62 * lit.max()
