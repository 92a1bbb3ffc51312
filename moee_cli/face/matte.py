"""Takes a picture apart into the person and what is behind: alpha to the pixel's share, both colours, exactly undone.

Steps, at a resolution bounded by the face: where a network sees a person (`segment`); the doubtful parts by colour
(GrabCut: Rother, Kolmogorov, Blake, SIGGRAPH 2004); in a band along the silhouette the share of the person's colour in
each pixel, from the colours on either side, drawn along the picture's edges (guided filter: He, Sun, Tang, ECCV 2010).
`exemplar` then carries the backdrop on behind the person, and `unmix` divides each pixel between the two.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32, U8, Layers
from moee_cli.face.exemplar import Eyes
from moee_cli.face.framing import extended
from moee_cli.face.landmarks import OUTER_EYES
from moee_cli.face.plate import spread
from moee_cli.face.segment import person_seen
from moee_cli.face.unmix import Parts, divided, layers_of

Mask = NDArray[np.bool_]

Part = tuple[int, int, int, int]
"""Left, top, right, bottom px, half open."""

WORK_UNIT = 130
"""Outer-eye distance in px at which alpha is found; in larger faces it is drawn along the edges afterwards."""
WORK_SIDE = 1100
"""Longest side in px at which alpha is found, whatever the face: bounds time and memory."""
CERTAIN = 0.9
"""Mean probability inside the face under which the network does not see a person: 53 portraits pass, a dog's head does
not."""
_TORN, _GAPS, _GRABBED = 1.0, 0.6, 0.75
"""Square units near the head that are neither person nor backdrop, those of gaps and notches narrower than `_NARROW`,
and the share of the picture beside and above the head that counts as person, from which a matte is not used. On 51
portraits the greatest were 0.54, 0.31 (a tiara) and 0.36 (a veil)."""
_NARROW = 0.4
_HEAD = (1.3, 1.5, 1.2)
"""Reach to the sides, up and down of what is near the head, units from the eyes."""
_FAR, _FAR_DOWN, _FAR_LEAST = 1.7, 0.4, 0.3
"""Units from the eyes beyond which, and below them to which, a picture is beside the head; and square units of it that
say anything."""
_OUT, _IN = 0.13, 0.07
"""Units outside and inside the silhouette in which a pixel may be part person, part backdrop: wisps, soft focus."""
_NOISE = 6.0
"""Levels by which pixels of one colour differ anyway."""
_CUT_SIDE = 256
_CUT_ROUNDS = 2
_CUT_SURE, _CUT_NEVER = 0.93, 0.06
"""Probabilities beyond which colour does not overrule the network."""
_GUIDES = ((0.06, 8.0), (0.03, 5.0))
"""Radius (units) and contrast (levels) of the guided filters: what differs less than that is one surface."""
_MIDDLE = (234, 454, 10, 152)
_CHIN, _BROW = 152, 10


def take_apart(
    pixels: U8, landmarks: F32, others: Sequence[F32] = (), *, part: Part | None = None, kept: bool = True
) -> Layers | None:
    """Return person and backdrop; None where the person cannot be told from what is behind.

    `pixels` is RGB [H, W, 3]; `landmarks` [478, 3] px are those of the person, `others` those of further faces, which
    belong to the backdrop. `part` (left, top, right, bottom px) is where the frame shows the picture itself, with an
    extended border around. Composed at rest the layers give `pixels` back to the level. `kept` says that this backdrop
    is shown, not another (`unmix.Parts.of`).
    """
    if part is None:
        taken = _taken(pixels, landmarks, others, kept=kept)
        return None if taken is None else layers_of(pixels, *taken)
    left, top, right, bottom = part
    shift = np.array([left, top, 0], np.float32)
    inner = np.ascontiguousarray(pixels[top:bottom, left:right])
    taken = _taken(inner, landmarks - shift, [other - shift for other in others], kept=kept)
    if taken is None:
        return None
    size = (pixels.shape[1], pixels.shape[0])
    alpha = extended(np.repeat(taken[0][..., None], 3, axis=2), left, top, size)[..., 0]
    return layers_of(pixels, np.ascontiguousarray(alpha), extended(taken[1], left, top, size))


def _taken(pixels: U8, landmarks: F32, others: Sequence[F32], *, kept: bool) -> tuple[U8, U8] | None:
    """Return alpha [H, W] and backdrop [H, W, 3]."""
    unit = float(np.hypot(*(landmarks[OUTER_EYES[0], :2] - landmarks[OUTER_EYES[1], :2])))
    height, width = pixels.shape[:2]
    factor = max(1.0, unit / WORK_UNIT, max(height, width) / WORK_SIDE)
    size = (round(width / factor), round(height / factor))
    small = pixels if factor == 1.0 else np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([size[0] / width, size[1] / height, 1.0], np.float32)
    face, rest = landmarks * scale, [other * scale for other in others]
    small_unit = unit / factor
    x, y = face[list(_MIDDLE), :2].mean(axis=0)
    seen = person_seen(small, (float(x), float(y)), small_unit)
    if seen is None:
        return None
    alpha = _alpha(small, seen, face, rest, small_unit)
    if alpha is None:
        return None
    right, left = (face[index, :2] for index in OUTER_EYES)
    eyes = Eyes(float(right[0] + left[0]) / 2, float(right[1] + left[1]) / 2, small_unit)
    if _unusable(alpha, eyes):
        return None
    return divided(pixels, Parts.of(small, alpha, eyes, _faces(rest, alpha.shape), kept=kept))


def _unusable(alpha: F32, eyes: Eyes) -> bool:
    """Return whether a matte [h, w] is in shreds, or takes the room for the person."""
    places = ((np.arange(n) - at) / eyes.unit for n, at in zip(alpha.shape[::-1], eyes[:2], strict=True))
    right, down = np.meshgrid(*places)
    pixel = 1.0 / eyes.unit**2
    near = (np.abs(right) < _HEAD[0]) & (down > -_HEAD[1]) & (down < _HEAD[2])
    torn = np.count_nonzero((alpha > 0.1) & (alpha < 0.9) & near) * pixel
    person = alpha > 0.5
    disc = _disc(_NARROW / 2 * eyes.unit)
    n = disc.shape[0] // 2
    wide = cv2.copyMakeBorder(person.astype(np.uint8), n, n, n, n, cv2.BORDER_REPLICATE)
    gaps = np.count_nonzero(cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc) > wide) * pixel
    far = (np.hypot(right, down) > _FAR) & (down < _FAR_DOWN)
    room = np.count_nonzero(far)
    grabbed = np.count_nonzero(person & far) / room if room * pixel > _FAR_LEAST else 0.0
    return torn > _TORN or gaps > _GAPS or grabbed > _GRABBED


def _faces(others: Sequence[F32], shape: tuple[int, ...]) -> Mask | None:
    """Return where other faces are [h, w], with what hangs about them; None without any."""
    if not others:
        return None
    everyone = np.zeros(shape[:2], np.bool_)
    for one in others:
        everyone |= cv2.dilate(_hull(one, shape), _disc(0.25 * float(np.ptp(one[:, 0])))) > 0
    return everyone


def _disc(radius: float) -> U8:
    """Return a disc of a radius in px, as OpenCV's morphology takes it."""
    n = max(1, round(radius))
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * n + 1, 2 * n + 1)), np.uint8)


def _hull(face: F32, shape: tuple[int, ...]) -> U8:
    """Return 1 inside the outline of a face's landmarks, else 0, uint8 of `shape`."""
    inside = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(face[:, :2] - 0.5).astype(np.int32)), (1,))
    return inside


def _alpha(picture: U8, seen: F32, face: F32, others: Sequence[F32], unit: float) -> F32 | None:
    """Return the person's share of each pixel, float32 [h, w]; None where the network does not see the face."""
    inside_face = cv2.erode(_hull(face, seen.shape), _disc(0.08 * unit)) > 0
    if not inside_face.any() or float(seen[inside_face].mean()) < CERTAIN:
        return None
    person = _person(picture, seen, inside_face)
    if others:
        person &= _own(picture, seen, face, others)
        person = _connected(person, inside_face)
    away = cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, 5) / unit
    deep = cv2.distanceTransform(person.astype(np.uint8), cv2.DIST_L2, 5) / unit
    outside, inside = away > _OUT, (deep > _IN) | inside_face
    said = np.clip((seen - 0.5) * 1.6 + 0.5, 0.0, 1.0)
    share, trust = _share(picture, inside, outside)
    most = np.clip(1.0 - (away / _OUT - 0.35) / 0.65, 0.0, 1.0)
    least = np.maximum(np.clip((deep / _IN - 0.4) / 0.6, 0.0, 1.0), inside_face)
    alpha = said + (share - said) * trust
    for radius, contrast in ((0.0, 0.0), *_GUIDES):
        if radius:
            alpha = _guided(picture, alpha, max(2, round(radius * unit)), contrast)
        alpha = np.maximum(np.minimum(alpha, most), least)
    return np.asarray(np.clip((alpha - 0.06) / 0.88, 0.0, 1.0), np.float32)


def _guided(picture: U8, alpha: F32, radius: int, contrast: float) -> F32:
    """Return `alpha` as a locally linear function of the picture's colours."""
    return np.asarray(
        cv2.ximgproc.guidedFilter(picture, np.asarray(alpha, np.float32), radius, contrast * contrast), np.float32
    )


def _share(picture: U8, inside: Mask, outside: Mask) -> tuple[F32, F32]:
    """Return how much of the colour inside each pixel holds (0..1), and how far that can be trusted (0..1)."""
    colours = picture.astype(np.float32)
    front, front_spread = _colours(colours, inside)
    back, back_spread = _colours(colours, outside)
    step = front - back
    apart = (step * step).sum(axis=-1)
    share = ((colours - back) * step).sum(axis=-1) / np.maximum(apart, 1.0)
    trust = apart / (apart + 4.0 * (front_spread + back_spread) + 6.0 * _NOISE**2)
    return np.asarray(np.clip(share, 0.0, 1.0), np.float32), np.asarray(trust, np.float32)


def _colours(colours: F32, known: Mask) -> tuple[F32, F32]:
    """Return the mean colour [h, w, 3] of known pixels around each pixel, and its variance [h, w]."""
    weight = known.astype(np.float32)
    mean = spread(colours, weight)
    square = spread((colours * colours).sum(axis=-1, keepdims=True), weight)[..., 0]
    return mean, np.asarray(np.maximum(square - (mean * mean).sum(axis=-1), 0.0), np.float32)


def _person(picture: U8, seen: F32, inside_face: Mask) -> Mask:
    """Return the connected person around the face; what the network doubts goes by colour."""
    height, width = seen.shape
    factor = max(1.0, max(seen.shape) / _CUT_SIDE)
    size = (round(width / factor), round(height / factor))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    sure = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    cut = np.full(sure.shape, cv2.GC_PR_BGD, np.uint8)
    cut[sure > 0.5] = cv2.GC_PR_FGD
    cut[(sure > _CUT_SURE) | (cv2.resize(inside_face.astype(np.uint8), size) > 0)] = cv2.GC_FGD
    cut[sure < _CUT_NEVER] = cv2.GC_BGD
    if (cut == cv2.GC_BGD).any():
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small, cut, (0, 0, 1, 1), *models, _CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = ((cut == cv2.GC_FGD) | (cut == cv2.GC_PR_FGD)).astype(np.float32)
    return _connected(cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5, inside_face)


def _connected(person: Mask, inside_face: Mask) -> Mask:
    """Return the parts of `person` that hold the face."""
    _, labels = cv2.connectedComponents(person.astype(np.uint8), connectivity=4)
    own = np.unique(labels[inside_face & person])
    return np.asarray(np.isin(labels, own[own > 0]), np.bool_)


def _own(picture: U8, seen: F32, face: F32, others: Sequence[F32]) -> Mask:
    """Return the pixels nearer, by edges crossed, to this face and its trunk than to the others (watershed)."""
    marks = np.zeros(seen.shape, np.int32)
    marks[seen < 0.1] = 1
    for mark, one in ((3, face), *((2, other) for other in others)):
        body = _hull(one, seen.shape)
        down = one[_CHIN, :2] - one[_BROW, :2]
        trunk = [one[_CHIN, :2] - 0.2 * down, one[_CHIN, :2] + 0.7 * down]
        thick = max(1, round(0.25 * float(np.hypot(*down))))
        ends = [tuple(int(value) for value in np.round(end)) for end in trunk]
        cv2.line(body, ends[0], ends[1], (1,), thick)
        marks[(body > 0) & ((marks == 0) | (marks == 1))] = mark
    for other in others:
        marks[_hull(other, seen.shape) > 0] = 2
    marks[_hull(face, seen.shape) > 0] = 3
    cv2.watershed(np.asarray(cv2.medianBlur(picture, 5), np.uint8), marks)
    return np.asarray(marks == 3, np.bool_)
