"""What a portrait is refused for, and what is remarked about it: each gate measures, compares, and says what to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moee_cli.core.errors import PortraitError
from moee_cli.core.types import F32, U8
from moee_cli.face.evidence import Evidence
from moee_cli.face.hands import Hand
from moee_cli.face.landmarks import FACE_OVAL, Face
from moee_cli.face.light import Light

MIN_EYES_PX = 40.0
GOOD_EYES_PX = 60.0
"""Outer eye distance in the picture: under the first a face has too few pixels to animate, under the second it looks
soft."""
TURNED, PROFILE = 15.0, 40.0
"""Degrees to either side from which a head counts as turned, and from which one eye is nearly hidden."""
TIPPED = 20.0
"""Degrees by which a head looks up or down, see `_PITCH_REACH`."""
TILTED, LYING = 20.0, 45.0
"""Degrees by which the eye line leans."""
MOUTH_OPEN = 0.05
"""Inner lip gap per eye distance above which teeth may show."""
EYES_CLOSED = 0.15
"""Lid gap per eye width below which an eye looks closed."""
MOUTH_HALF_SEEN, MOUTH_COVERED = 0.75, 0.6
"""How far lips follow a shift of what lies under them. 52 clean portraits (photos, drawings, statues, beards): 0.78 to
0.96; 17 of them under drawn masks: -0.36 to 0.61, scarves to 0.62, hands to 0.87, microphones to 1.05; a dog
and a monkey in which a face was found 0.57 and 0.54."""
LIPS_SCATTER = 0.018
"""Lips' landmarks lie this far apart between crops where something hides part of them, in eye distances: clean
portraits to 0.017, with drawn glasses 2 of 52 above, to 0.024; microphones 0.016 to 0.034, hands 0.010 to 0.083."""
HAND_NEAR = -0.25
"""How far a hand reaches into the face's outline, in eye distances, from which it moves with the face.
Of 163 heads 21 had a hand on or close to the face: 20 measured -0.20 to 0.54, one was not found. Raised hands beside
others: -0.33 and less. None was found where there is none, nor in 52 clean portraits."""
EYE_COVERED = 0.5
"""How far an iris follows. The less seen eye of clean portraits: nine in ten above 0.77 (blank eyes of statues to
-0.35); the better seen one behind drawn black glasses: to 0.51; under a patch to 0.58, under hair to 0.21."""
EYES_DARK = 0.7
"""Light of the eyes as a share of the skin. 52 clean portraits, also with drawn frames of glasses: from 0.73; 17 behind
drawn brown lenses that let a fifth through: to 0.64, behind black ones to 0.22."""
SOFT, BLURRED = 14.0, 9.0
"""Sharpness. 55 clean portraits: 17.8 to 32.5; under a Gaussian of 0.02 eye distances 11 to 23, median 14.8; of 0.04,
7 to 16, median 9.4."""
BRIGHT, BURNT = 0.15, 0.5
"""Share of pure white. Clean: to 0.04; four times the light: median 0.43; eight times: 0.64."""
DIM, BLACK = 40.0, 15.0
"""Grey levels of contrast. Clean: from 59; a thirtieth of the light: 13 to 51, median 33."""
OUTSIDE = 0.08
"""Share of the face oval that may lie outside the picture."""

_RIGHT_EYE, _LEFT_EYE = (33, 133, 159, 145), (263, 362, 386, 374)
"""Outer corner, inner corner, upper lid, lower lid of the subject's eyes."""
_LIPS = (13, 14)
_NOSE_REACH = 1.4
"""How far the nose tip stands before the cheek points, per half distance of those: turning the landmarks of six frontal
portraits by 10, 20, 30, 40 degrees gives asymmetries of 0.24, 0.51, 0.81, 1.17, which is 1.4 times the tangent."""
_LEVEL, _PITCH_REACH = 0.072, 0.61
"""How far the ears' edge of the mesh lies below the eye line, in eye distances: the median of 52 portraits, -11 to 10
degrees around it; and the radius on which it turns. Their landmarks turned by 20 and 30 degrees give medians of
0.21 and 0.30 more or less, and 30 degrees measure at least 21."""
_EARS, _EYE_CORNERS = (127, 234, 356, 454), (33, 133, 263, 362)
_NOSE, _RIGHT_CHEEK, _LEFT_CHEEK = 1, 234, 454
TURN = "turn the picture upright, save it, and use that"
"""What helps a face that does not stand upright."""


def check_face(face: Face, picture: U8, name: str) -> list[str]:
    """Return warnings about the face, in words for the user.

    Raises:
        PortraitError: it is too small, cut off, on its side or in profile.
    """
    found = _measure(face, picture)
    if found.eyes_px < MIN_EYES_PX:
        raise PortraitError(
            f"{name}: the face is too small, {found.eyes_px:.0f} px between the outer eye corners",
            f"use a larger picture of the face: at least {MIN_EYES_PX:.0f} px, better {2 * GOOD_EYES_PX:.0f}",
        )
    if found.outside > OUTSIDE:
        raise PortraitError(
            f"{name}: {found.outside:.0%} of the face outline lie outside the picture",
            "use a picture that shows the whole face, with some room around it",
        )
    if abs(found.lean) > LYING:
        raise PortraitError(f"{name}: the face leans by {abs(found.lean):.0f} degrees", TURN)
    if found.yaw > PROFILE:
        raise PortraitError(
            f"{name}: the head is turned by about {found.yaw:.0f} degrees, more than {PROFILE:g}",
            "use a picture in which the face looks into the camera",
        )
    return _remarks(found)


def check_covered(found: Evidence, name: str) -> list[str]:
    """Return warnings about a mouth or eyes that are hard to see.

    Raises:
        PortraitError: the mouth is covered.
    """
    if found.mouth < MOUTH_COVERED:
        raise PortraitError(
            f"{name}: the mouth is covered, or this is no human face: landmarks follow what is there by "
            f"{max(found.mouth, 0):.0%}, {MOUTH_COVERED:.0%} are needed",
            "use a picture of a person without mask, scarf, hand or microphone before the mouth",
        )
    remarks = []
    half_seen = found.mouth < MOUTH_HALF_SEEN or found.scatter > LIPS_SCATTER
    if found.hand and found.hand.lips > 0 and half_seen:
        raise PortraitError(
            f"{name}: a hand covers the mouth: it reaches {found.hand.lips:.2f} eye distances into the lips, and their "
            f"landmarks follow what is there by {found.mouth:.0%}",
            "use a picture that shows the mouth free",
        )
    if found.hand and found.hand.face > HAND_NEAR:
        remarks.append(_about(found.hand))
    if half_seen:
        remarks.append(
            f"the mouth may be partly covered (followed by {found.mouth:.0%}, lips uncertain by {found.scatter:.3f} of "
            "the eye distance); use a picture that shows it free"
        )
    hidden = [eye for eye in found.eyes if eye < EYE_COVERED]
    if hidden:
        which = "both eyes look" if len(hidden) > 1 else "one eye looks"
        remarks.append(
            f"{which} covered or blank (followed by {max(min(hidden), 0):.0%}, {EYE_COVERED:.0%} are needed); gaze and "
            "blinks will look wrong behind dark glasses, hair or a patch"
        )
    elif found.eyes_light < EYES_DARK:
        remarks.append(
            f"the eyes lie dark, at {found.eyes_light:.0%} of the skin's light, good from {EYES_DARK:.0%}; blinks will "
            "look wrong behind tinted glasses"
        )
    return remarks


def _about(hand: Hand) -> str:
    """Return the remark about a hand on or beside the face."""
    if hand.face <= 0:
        where = f"beside the face, {-hand.face:.2f} eye distances from its outline"
    else:
        where = f"on the face, {hand.face:.2f} eye distances inside its outline"
    return f"a hand lies {where}; it will move with the face: use a picture without"


def check_light(found: Light, name: str) -> list[str]:
    """Return warnings about a soft, dark or bright face.

    Raises:
        PortraitError: it is blurred, burnt out or nearly black.
    """
    if found.contrast < BLACK:
        raise PortraitError(
            f"{name}: the face is too dark or flat, {found.contrast:.0f} grey levels of contrast, less than {BLACK:g}",
            "use a picture with light on the face",
        )
    if found.white > BURNT:
        raise PortraitError(
            f"{name}: {found.white:.0%} of the face are pure white, more than {BURNT:.0%}",
            "use a picture with less light on the face",
        )
    if found.sharpness < BLURRED:
        raise PortraitError(
            f"{name}: the face is blurred, sharpness {found.sharpness:.1f}, less than {BLURRED:g}",
            "use a picture in which eyes and mouth are in focus",
        )
    remarks = []
    if found.sharpness < SOFT:
        remarks.append(f"the face is soft, sharpness {found.sharpness:.1f}, good from {SOFT:g}; use one in focus")
    if found.white > BRIGHT:
        remarks.append(f"{found.white:.0%} of the face are pure white, good to {BRIGHT:.0%}; use one with less light")
    if found.contrast < DIM:
        remarks.append(
            f"the face is dark or flat, {found.contrast:.0f} grey levels of contrast, good from {DIM:g}; use one with "
            "more light"
        )
    return remarks


def _remarks(found: _Measures) -> list[str]:
    remarks = []
    if found.eyes_px < GOOD_EYES_PX:
        remarks.append(f"the face is small, {found.eyes_px:.0f} px between the outer eye corners; it will look soft")
    if found.yaw > TURNED:
        remarks.append(f"the head is turned by about {found.yaw:.0f} degrees; a frontal picture animates better")
    if abs(found.pitch) > TIPPED:
        way = "up" if found.pitch > 0 else "down"
        remarks.append(
            f"the head looks {way} by about {abs(found.pitch):.0f} degrees; one taken at eye level animates better"
        )
    if abs(found.lean) > TILTED:
        remarks.append(f"the head is tilted by {abs(found.lean):.0f} degrees; an upright picture animates better")
    if found.mouth > MOUTH_OPEN:
        remarks.append(f"the mouth is open ({found.mouth:.2f} of the eye distance); one with closed lips speaks better")
    if min(found.lids) < EYES_CLOSED:
        which = "both eyes look" if max(found.lids) < EYES_CLOSED else "one eye looks"
        remarks.append(f"{which} closed; blinks and gaze need open eyes")
    return remarks


@dataclass(frozen=True)
class _Measures:
    """What the gates look at, in eye distances, degrees and shares."""

    eyes_px: float
    yaw: float
    pitch: float
    """Up is positive."""
    lean: float
    mouth: float
    lids: tuple[float, float]
    outside: float


def _measure(face: Face, picture: U8) -> _Measures:
    points = face.landmarks
    lids = [
        _gap(points, upper, lower) / _gap(points, outer, inner)
        for outer, inner, upper, lower in (_RIGHT_EYE, _LEFT_EYE)
    ]
    eyes = face.eye_distance_px
    return _Measures(
        eyes_px=eyes,
        yaw=_yaw(points),
        pitch=_pitch(points),
        lean=lean_of(points),
        mouth=_gap(points, *_LIPS) / eyes,
        lids=(lids[0], lids[1]),
        outside=share_outside(points, picture),
    )


def share_outside(points: F32, picture: U8) -> float:
    """Return the share of the face outline that is not in the picture."""
    height, width = picture.shape[:2]
    oval = points[list(FACE_OVAL), :2]
    return float(np.mean(np.any((oval < 0) | (oval > [width, height]), axis=1)))


def _gap(points: F32, one: int, other: int) -> float:
    return float(np.linalg.norm(points[one, :2] - points[other, :2]))


def lean_of(points: F32) -> float:
    """Return by how many degrees the eye line is off the horizontal."""
    right, left = points[_RIGHT_EYE[0], :2], points[_LEFT_EYE[0], :2]
    return float(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])))


def _yaw(points: F32) -> float:
    """Return by how many degrees the head is turned to either side, from where the nose sits between the cheeks."""
    axis = points[_LEFT_EYE[0], :2] - points[_RIGHT_EYE[0], :2]
    right, nose, left = (float(points[index, :2] @ axis) for index in (_RIGHT_CHEEK, _NOSE, _LEFT_CHEEK))
    asymmetry = abs((nose - right) - (left - nose)) / max(left - right, 1e-6)
    return float(np.degrees(np.arctan(asymmetry / _NOSE_REACH)))


def _pitch(points: F32) -> float:
    """Return by how many degrees the head looks up (or down, negative), from where the ears lie against the eyes."""
    right, left = points[_RIGHT_EYE[0], :2], points[_LEFT_EYE[0], :2]
    axis = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
    down = np.array([-axis[1], axis[0]])
    below = float((points[list(_EARS), :2].mean(axis=0) - points[list(_EYE_CORNERS), :2].mean(axis=0)) @ down)
    share = below / max(float(np.linalg.norm(left - right)), 1e-6) - _LEVEL
    return float(np.degrees(np.arcsin(np.clip(share / _PITCH_REACH, -1, 1))))
