"""Measures of drawn faces, for `face.py` and the tests: shape, sharpness, stillness, and what a detector reads back.

Frames go in, figures come out; how they were drawn is not looked at. The detector is MediaPipe's face mesh, which also
found the landmarks of the portrait: it shares the blind spots of the renderer's picture of a face, and sees pixels
only. Flow, sharpness and differences of pixels share nothing with it but the place where they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from moee_cli.audio.visemes import MOUTH_SHAPES
from moee_cli.core.labels import CHANNEL, EMOTIONS, EXPERTS
from moee_cli.core.types import F32, U8, Portrait
from moee_cli.engines.motion.mouth import meet
from moee_cli.engines.motion.poses import emotion_poses, speech_poses
from moee_cli.face.controls import motion_frame
from moee_cli.face.landmarks import track
from moee_cli.face.pose import LIMITS
from moee_cli.face.renderer import FaceRenderer

STILL = {
    "nose": (168, 6, 197, 195, 5, 4, 1),
    "hair line": (10, 109, 338, 67, 297),
    "temples": (162, 389, 127, 356, 234, 454),
}
"""Landmarks outside mouth, jaw, eyes, brows and the folds' places: the nose's bridge and tip, the upper edge of the
forehead, the sides of the face at eye height. Left out, besides mouth, jaw, eyes and brows: wings and root of the nose
(48, 49, 64, 98, 278, 279, 294, 327; 2, 94), which a sneer or smile lifts with the upper lip; cheeks (50, 101, 205, 280,
330, 425), which a smile pushes up; the forehead (8, 9, 108, 151, 337), which brows wrinkle."""
_GRAIN = 8.0
"""Standard deviation, in grey levels, of the grain by which flow sees smooth skin move."""
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_CROP = 512
"""Side of the square around the face that is shown to the detector; it looks at 192 px of it."""
_VIEWS = ((2.3, 0.0, 0.0), (2.15, 0.04, 0.02), (2.45, -0.04, 0.02), (2.3, -0.02, -0.05), (2.55, 0.03, -0.03))
"""Squares whose landmarks are averaged: side and shift in sizes of the face. One alone scatters by 0.35 % of the eye
distance (`face.landmarks`)."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def turn(channel: str, share: float) -> F32:
    """Return a motion frame that takes the head `share` (-1..1) of the way to a limit."""
    return motion_frame(**{channel: share * LIMITS[("headYaw", "headPitch", "headRoll").index(channel)]})


def expressions() -> dict[str, F32]:
    """Return emotions and mouth shapes without head and gaze, by name."""
    emotions, spoken = emotion_poses().copy(), speech_poses()
    emotions[:, CHANNEL["headYaw"] :] = 0.0
    found = {name: emotions[EMOTIONS.index(name)] for name in EXPERTS}
    found |= {f"say {name}": spoken[number] for number, name in enumerate(MOUTH_SHAPES) if number}
    return found | {"blink": motion_frame(eyeBlink=1.0), "jaw 0.8": motion_frame(jawOpen=0.8)}


def turns() -> dict[str, F32]:
    """Return head turns at the limits, by name."""
    ways = (("headYaw", 1), ("headYaw", -1), ("headPitch", 1), ("headPitch", -1), ("headRoll", 1), ("headRoll", -1))
    return {f"{channel} {'+' if sign > 0 else '-'}": turn(channel, sign) for channel, sign in ways}


@dataclass(eq=False)
class Sitter:
    """A portrait with its renderer, and its frame at rest."""

    portrait: Portrait
    renderer: FaceRenderer
    rest: U8

    @classmethod
    def of(cls, portrait: Portrait) -> Sitter:
        """Prepare a portrait."""
        renderer = FaceRenderer(portrait)
        return cls(portrait, renderer, opaque(renderer.draw(motion_frame())))

    @classmethod
    def bare(cls, portrait: Portrait) -> Sitter:
        """Prepare a portrait strewn with fine grain, and drawn without folds, for flow to see how its skin moves.

        Flow needs structure in every place, or it takes over what moves beside it, and sees motion where shade sets in.
        """
        sitter = cls.of(_strewn(portrait))
        sitter.renderer._folds.gain = lambda motion: None  # type: ignore[method-assign] # noqa: ARG005, SLF001
        return sitter

    @property
    def unit(self) -> float:
        """Outer eye distance in px."""
        points = self.portrait.landmarks
        return float(np.hypot(*(points[33, :2] - points[263, :2])))

    def draw(self, frame: F32) -> U8:
        """Return a drawn frame, RGB."""
        return opaque(self.renderer.draw(frame))


def _strewn(portrait: Portrait) -> Portrait:
    """Return the portrait with grain on the person."""
    grain = np.random.default_rng(0).normal(size=portrait.pixels.shape[:2]).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.8)
    grain *= _GRAIN / grain.std()

    def strewn(pixels: U8) -> U8:
        coarse = pixels.copy()
        coarse[..., :3] = np.clip(pixels[..., :3] + grain[..., None], 0.0, 255.0)
        return coarse

    layers = None if portrait.layers is None else replace(portrait.layers, person=strewn(portrait.layers.person))
    return replace(portrait, pixels=strewn(portrait.pixels), layers=layers)


def opaque(frame: U8) -> U8:
    """Return the colours of a frame that may have alpha."""
    return np.ascontiguousarray(frame[..., :3])


def luma(frame: U8) -> F32:
    """Return the brightness of a frame, 0..255, [H, W]."""
    return np.asarray(frame @ LUMA, np.float32)


# --- detector -------------------------------------------------------------------------------------------------------


def read_landmarks(frames: Sequence[U8], near: F32, *, shift: tuple[float, float] = (0.0, 0.0)) -> F32:
    """Return landmarks [n, 478, 3] of frames whose face lies near `near`; not a number where none is found.

    The mean over several views of each frame. `shift` moves all views, in px: what it changes is noise.
    """
    low, high = near[:, :2].min(0), near[:, :2].max(0)
    size, centre = float((high - low).max()), (low + high) / 2
    seen = []
    for side, dx, dy in _VIEWS:
        scale = _CROP / (side * size)
        corner = centre + np.array([dx, dy]) * size - side * size / 2 + np.array(shift)
        # Landmarks have pixel centres at .5, warpAffine on whole numbers.
        move = np.array(
            [[scale, 0, 0.5 * scale - 0.5 - corner[0] * scale], [0, scale, 0.5 * scale - 0.5 - corner[1] * scale]]
        )
        views = (
            cv2.warpAffine(frame, move, (_CROP, _CROP), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
            for frame in frames
        )
        found = np.stack([np.full((478, 3), np.nan) if points is None else points for points in track(views)])
        seen.append(found / scale + np.array([*corner, 0.0]))
    return np.asarray(np.mean(seen, axis=0), np.float32)


def aligned(points: F32, onto: F32) -> F32:
    """Return points [N, 2] laid over others by the similarity with the least squares (Umeyama 1991)."""
    a, b = points - points.mean(0), onto - onto.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * sign).sum() / (a**2).sum()
    return np.asarray(scale * a @ ((u * sign) @ vt).T + onto.mean(0), np.float32)


def shape_residual(found: F32, rest: F32, unit: float) -> dict[str, float]:
    """Return how far the landmarks that should be still are off, RMS per group in percent of the eye distance."""
    indices = [index for group in STILL.values() for index in group]
    off = np.linalg.norm(aligned(found[indices, :2], rest[indices, :2]) - rest[indices, :2], axis=1)
    residuals, start = {"all": float(np.sqrt(np.mean(off**2)))}, 0
    for name, group in STILL.items():
        residuals[name] = float(np.sqrt(np.mean(off[start : start + len(group)] ** 2)))
        start += len(group)
    return {name: 100 * value / unit for name, value in residuals.items()}


def head_turn(found: F32, rest: F32) -> tuple[float, float]:
    """Return yaw and pitch in degrees by which the still landmarks have turned, seen from afar.

    The rotation that takes the 3D landmarks at rest to the 2D ones found: the first two rows of a scaled rotation, by
    least squares, and the third at right angles.
    """
    indices = [index for group in STILL.values() for index in group] + [33, 133, 362, 263, 2, 98, 327]
    model = rest[indices] - rest[indices].mean(0)
    seen = found[indices, :2] - found[indices, :2].mean(0)
    rows, *_ = np.linalg.lstsq(model, seen, rcond=None)
    u, _, vt = np.linalg.svd(rows.T, full_matrices=False)
    across, down = u @ vt
    ahead = np.cross(across, down)
    # Pictures have z away from the camera: what turns to the subject's left goes the other way round.
    return float(np.degrees(np.arctan2(-across[2], ahead[2]))), float(np.degrees(np.arcsin(np.clip(down[2], -1, 1))))


def openings(found: F32) -> dict[str, float]:
    """Return the measures that channels are read back by, in outer-eye distances, free of place, size and roll."""
    points = found[:, :2].astype(np.float64)
    right, left = points[33], points[263]
    axis = (left - right) / np.linalg.norm(left - right)
    up = np.array([axis[1], -axis[0]])
    scaled = (points - (right + left) / 2) / np.linalg.norm(left - right)
    x, y = scaled @ axis, scaled @ up

    def height(*indices: int) -> float:
        return float(y[list(indices)].mean())

    return {
        "inner brow": height(55, 107, 285, 336),
        "outer brow": height(63, 70, 293, 300),
        "brow": height(55, 107, 285, 336, 63, 70, 293, 300, 105, 334),
        "brow gap": float(x[336] - x[107]),
        "corner lift": height(61, 291) - height(13, 14),
        "corner height": height(61, 291),
        "mouth width": float(x[291] - x[61]),
        "lip to nose": height(2) - height(0, 37, 267),
        "lid opening": (height(159, 158, 160) - height(145, 153, 144) + height(386, 385, 387) - height(374, 380, 373))
        / 2,
        "opening": height(13) - height(14),
        "lips apart": height(13, 82, 312) - height(14, 87, 317),
    }


# --- read back ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What is read while one parameter goes up."""

    name: str
    values: F32
    """Change against rest at each of `STEPS`, in the direction that is expected; eye distances or degrees."""
    noise: float
    """Standard deviation of one value."""

    @property
    def slope(self) -> float:
        """Change at 1, by the line through rest that fits best up to 0.8."""
        steps, values = STEPS[STEPS <= 0.81], self.values[STEPS <= 0.81]
        return float((steps @ values) / (steps @ steps))

    @property
    def bend(self) -> float:
        """Largest distance from that line up to 0.8, as a share of its height there."""
        steps, values = STEPS[STEPS <= 0.81], self.values[STEPS <= 0.81]
        return float(np.abs(values - self.slope * steps).max() / max(abs(self.slope) * 0.8, 1e-9))

    @property
    def falls(self) -> float:
        """Largest step in the wrong direction, in standard deviations of its noise."""
        steps = np.diff(np.concatenate([[0.0], self.values]))
        return float(max(0.0, -steps.min()) / (self.noise * 2**0.5))


STEPS = np.linspace(0.1, 1.0, 10).astype(np.float32)
CHANNELS: Mapping[str, tuple[Callable[[float], F32], str, int]] = {
    "jaw opening": (lambda t: motion_frame(jawOpen=t), "lips apart", 1),
    "mouth width": (lambda t: motion_frame(mouthStretch=t), "mouth width", 1),
    "smile": (lambda t: motion_frame(mouthSmile=t), "corner height", 1),
    "brow raise": (lambda t: motion_frame(browInnerUp=t, browOuterUp=t), "brow", 1),
    "eye closing": (lambda t: motion_frame(eyeBlink=t), "lid opening", -1),
    "yaw": (lambda t: turn("headYaw", t), "yaw", 1),
    "pitch": (lambda t: turn("headPitch", t), "pitch", 1),
}
"""Parameter, what is read, and the direction in which it should go."""


BY_FLOW = ("mouth width", "smile", "brow raise")
"""What can also be read by following the pixels from rest: all that neither disappears nor turns in depth."""


def read_by_flow(sitter: Sitter, names: Iterable[str] = BY_FLOW) -> dict[str, Reading]:
    """Return what following the pixels under the landmarks says while each parameter goes from 0 to 1."""
    rest = sitter.portrait.landmarks
    readings = {}
    for name in names:
        pose, measure, sign = CHANNELS[name]
        values = []
        for step in STEPS:
            points = rest.copy()
            points[:, :2] += moved_by_flow(sitter.draw(pose(float(step))), sitter.rest, rest, 0.012 * sitter.unit)
            values.append(sign * (_measure(points, rest, measure) - _measure(rest, rest, measure)))
        readings[name] = Reading(name, np.array(values, np.float32), _LEAST_NOISE[False])
    return readings


def read_back(sitter: Sitter, names: Iterable[str] = tuple(CHANNELS)) -> dict[str, Reading]:
    """Return what the detector reads while each parameter goes from 0 to 1."""
    near = sitter.portrait.landmarks
    names = list(names)
    frames = [sitter.rest] + [sitter.draw(CHANNELS[name][0](float(step))) for name in names for step in STEPS]
    found = read_landmarks(frames, near)
    again = read_landmarks([sitter.rest], near, shift=(0.4, 0.3))[0]
    readings = {}
    for number, name in enumerate(names):
        _, measure, sign = CHANNELS[name]
        values = [
            _measure(points, found[0], measure)
            for points in (found[0], again, *found[1 + number * 10 : 11 + number * 10])
        ]
        noise = max(abs(values[1] - values[0]) / 2**0.5, _LEAST_NOISE[measure in ("yaw", "pitch")])
        readings[name] = Reading(name, np.array(values[2:], np.float32) * sign - sign * values[0], noise)
    return readings


_LEAST_NOISE = {False: 0.001, True: 0.15}
"""Eye distances, degrees: one pair of views may agree by chance."""


def _measure(points: F32, rest: F32, name: str) -> float:
    if name in ("yaw", "pitch"):
        return head_turn(points, rest)[("yaw", "pitch").index(name)]
    return openings(points)[name]


# --- pixels ---------------------------------------------------------------------------------------------------------


def moved_by_flow(frame: U8, rest: U8, points: F32, reach: float, *, fine: bool = False) -> F32:
    """Return how far [N, 2], in px, the pixels under points have moved between two frames.

    Dense inverse search (Kroeger et al. 2016), the median over a square of `reach` px to each side. Skin without
    structure moves with what is around it. A `fine` search compares 8 px at a time, a coarse one 16.
    """
    searcher = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if fine:
        searcher.setFinestScale(0)
    flow = searcher.calc(*(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (rest, frame)), None)
    height, width = flow.shape[:2]
    around = max(1, round(reach))
    moved = np.zeros((len(points), 2), np.float32)
    for number, (x, y) in enumerate(np.round(points[:, :2] - 0.5).astype(int)):
        x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)  # noqa: PLW2901 - the nearest in the frame
        disc = flow[max(0, y - around) : y + around + 1, max(0, x - around) : x + around + 1]
        moved[number] = np.median(disc.reshape(-1, 2), axis=0)
    return moved


def flow_residual(frame: U8, rest: U8, points: F32, unit: float) -> dict[str, float]:
    """Return how far the skin at the still landmarks has moved by optical flow, worst per group, in % of `unit`.

    Frames are best those of a `Sitter.bare`.
    """
    lengths = np.hypot(*moved_by_flow(frame, rest, points, 0.02 * unit, fine=True).T) * (100 / unit)
    moved = {name: float(lengths[list(group)].max()) for name, group in STILL.items()}
    return {"all": max(moved.values()), **moved}


def skin_mask(points: F32, shape: Sequence[int], unit: float) -> U8:
    """Return 1 on the skin of a face: its oval without its rim, eyes and lips."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(_OVAL), :2] - 0.5).astype(np.int32)], 1)
    mask = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=max(1, round(0.05 * unit)))
    holes = np.zeros_like(mask)
    for ring in (*_EYES, _LIPS):
        cv2.fillPoly(holes, [np.round(points[list(ring), :2] - 0.5).astype(np.int32)], 1)
    holes = cv2.dilate(holes, np.ones((3, 3), np.uint8), iterations=max(1, round(0.06 * unit)))
    return np.asarray(mask * (1 - holes), np.uint8)


def sharpness(frame: U8, mask: U8) -> float:
    """Return the mean size of the Laplacian of the brightness where `mask` is set."""
    detail = cv2.Laplacian(luma(frame), cv2.CV_32F, ksize=1)
    return float(np.abs(detail[mask > 0]).mean())


def kept_sharpness(sitter: Sitter, frame: U8, points: F32) -> float:
    """Return the sharpness of the skin of a drawn face with landmarks `points`, per that of the portrait.

    Compared on equal skin: both masks are those of their own face.
    """
    shape, unit = frame.shape, sitter.unit
    before = sharpness(opaque(sitter.portrait.pixels), skin_mask(sitter.portrait.landmarks, shape, unit))
    return sharpness(frame, skin_mask(points, shape, unit)) / before


def background_mask(portrait: Portrait) -> U8:
    """Return 1 where no person comes: by the matte, or without one farther from the face than its own size."""
    height, width = portrait.pixels.shape[:2]
    if portrait.layers is not None:
        # The limits of `face.pose`, each alone, carry the outline of a plain head by up to 0.28 eye distances.
        unit = float(np.hypot(*(portrait.landmarks[33, :2] - portrait.landmarks[263, :2])))
        person = (portrait.layers.person[..., 3] > 0).astype(np.uint8)
        away = cv2.distanceTransform(1 - person, cv2.DIST_L2, 5)
        return np.asarray(away > 0.35 * unit, np.uint8)
    low, high = portrait.landmarks[:, :2].min(0), portrait.landmarks[:, :2].max(0)
    size, centre = float((high - low).max()), (low + high) / 2
    rows, columns = np.mgrid[:height, :width]
    apart = np.hypot(columns + 0.5 - centre[0], rows + 0.5 - centre[1]) > 1.15 * size
    above = rows < high[1]
    return np.asarray(apart & above, np.uint8)


def psnr(one: U8, other: U8, mask: U8) -> float:
    """Return the peak signal-to-noise ratio in dB where `mask` is set; 99 where both are equal."""
    chosen = mask > 0
    if not chosen.any():
        return float("nan")
    error = float(np.mean((one[chosen].astype(np.float64) - other[chosen]) ** 2))
    return min(99.0, 10 * np.log10(255**2 / max(error, 1e-12)))


# --- time -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sweep:
    """How much the picture changes from step to step while one parameter goes slowly from end to end."""

    name: str
    changes: F32
    """99.9th percentile of the difference of neighbouring frames, 0..255, per step."""
    largest: F32
    """Largest difference of a pixel, per step."""

    @property
    def jump(self) -> float:
        """Largest step per the mean of its neighbours; steps below one level of brightness count as one."""
        return _jump(self.changes)

    @property
    def at(self) -> float:
        """Where the jump is, 0..1."""
        return float(np.argmax(_jumps(self.changes)) + 1) / len(self.changes)

    @property
    def pixel_jump(self) -> float:
        """The same for the largest difference of a single pixel, which starts from 8 levels."""
        return _jump(self.largest, least=8.0)


def _jumps(changes: F32, least: float = 1.0) -> F32:
    held = np.maximum(changes, least)
    around = np.maximum(held[:-2], held[2:])
    return np.asarray(held[1:-1] / around, np.float32)


def _jump(changes: F32, least: float = 1.0) -> float:
    return float(_jumps(changes, least).max())


def sweep(sitter: Sitter, name: str, start: float, stop: float, steps: int = 100) -> Sweep:
    """Draw a parameter going slowly from `start` to `stop`."""
    frames = (sitter.draw(motion_frame(**{name: float(value)})) for value in np.linspace(start, stop, steps + 1))
    changes, largest = [], []
    for one, other in pairwise(_as_float(frames)):
        apart = np.abs(other - one).mean(axis=2)
        changes.append(np.percentile(apart, 99.9))
        largest.append(apart.max())
    return Sweep(name, np.array(changes, np.float32), np.array(largest, np.float32))


def _as_float(frames: Iterable[U8]) -> Iterator[F32]:
    return (frame.astype(np.float32) for frame in frames)


# --- lips -----------------------------------------------------------------------------------------------------------


def seals() -> dict[str, F32]:
    """Return poses whose lips must be shut: p, b, m alone, over an open jaw, and in every emotion as it is spoken."""
    emotions, closed = emotion_poses().copy(), speech_poses()[MOUTH_SHAPES.index("closed")]
    emotions[:, CHANNEL["headYaw"] :] = 0.0
    one = np.ones(1, np.float32)
    found = {"closed": closed}
    for jaw in (0.15, 0.3, 0.5):
        frame = closed.copy()
        frame[CHANNEL["jawOpen"]] = frame[CHANNEL["mouthClose"]] = jaw
        found[f"closed, jaw {jaw}"] = frame
    for name in EXPERTS:
        found[f"closed, {name}"] = meet(emotions[[EMOTIONS.index(name)]], closed[None], one, one)[0]
    return found


def dark_gap(frame: U8, points: F32, unit: float) -> float:
    """Return the height of what is darker than the lips between them, in % of `unit`: the tallest of five columns.

    Dark is less than half the brightness of the lips, which are taken beside the line in which they meet.
    """
    grey = luma(frame)
    heights = []
    for top, above, below, bottom in (
        (0, 13, 14, 17),
        (37, 82, 87, 84),
        (267, 312, 317, 314),
        (39, 81, 178, 181),
        (269, 311, 402, 405),
    ):
        x = int(np.clip(points[[above, below], 0].mean() - 0.5, 0, grey.shape[1] - 1))
        first, last = (int(np.clip(points[index, 1] - 0.5, 0, grey.shape[0] - 1)) for index in (top, bottom))
        column = cv2.blur(grey[first : last + 1, max(0, x - 1) : x + 2], (3, 1)).mean(axis=1)
        if len(column) < 4:
            continue
        middle = (points[[above, below], 1].mean() - 0.5 - first) / len(column)
        place = np.arange(len(column)) / len(column)
        lips = np.median(column[np.abs(place - middle) > 0.15])
        heights.append(int((column < 0.5 * lips).sum()))
    return 100 * max(heights, default=0) / unit
