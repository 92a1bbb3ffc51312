"""From a picture file to a `Portrait`: choose the face, have it checked, cut the picture to the frame."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from moee_cli.core.errors import PortraitError
from moee_cli.core.types import F32, FRAME_SIDES, U8, BackgroundKind, Canvas, Fit, FrameFormat, Portrait
from moee_cli.face.canvas import animated_part
from moee_cli.face.evidence import gather
from moee_cli.face.framing import Placement, picture_part, place_cover, place_face, place_whole, render
from moee_cli.face.gates import LYING, OUTSIDE, TURN, check_covered, check_face, check_light, lean_of, share_outside
from moee_cli.face.landmarks import Face, find_faces
from moee_cli.face.light import measure_light
from moee_cli.face.picture import read_picture, shown_name
from moee_cli.face.sideview import FROM_THE_SIDE, side_view

FACES = ("largest", "left", "right")
"""Words that choose a face; left and right are those of the picture as a viewer sees it."""

DOMINANT = 2.0
"""A face with this many times the area of every other is taken without being asked for."""
SOFT_SCALE = 1.6
"""Enlargement from which the result looks soft."""
SMALL_IN_FRAME_PX = 40.0
_SIDEWAYS_PX = 400
"""Size at which a picture without a face is searched again turned: only the words of the refusal hang on it."""


def load_portrait(
    path: Path, frame: FrameFormat, *, face: str | None = None, landmarker_model: Path | None = None
) -> Portrait:
    """Return the picture cut to the frame, with landmarks in its pixels and warnings about what a viewer may notice.

    `face` chooses among several: `largest`; `left` or `right`, as seen in the picture; a number, counted from the
    left, from 0; or a box `x,y,w,h` in pixels of the upright picture. None means that nobody chose: then one face must
    be alone, or have twice the area of every other.

    Raises:
        PortraitError: the file is no usable picture; no face; several and no choice; too small, covered or in profile;
            the background cannot be replaced.
        InputError, Unavailable: the landmark model cannot be used (see `landmarks.find_faces`).
    """
    name = shown_name(path)
    picture = read_picture(path)
    chosen, beside, warnings = choose_face(picture, face, name, landmarker_model)
    warnings += check_face(chosen, picture, name)
    warnings += check_light(measure_light(picture, chosen), name)
    warnings += check_covered(gather(picture, chosen, model=landmarker_model), name)
    placement, more = _placement(picture, chosen, frame)
    framed = _Framed(
        render(picture, placement),
        placement.to_frame(chosen.landmarks),
        tuple(placement.to_frame(one.landmarks) for one in beside),
        picture_part(placement, (picture.shape[1], picture.shape[0])),
    )
    if share_outside(framed.landmarks, framed.pixels) > OUTSIDE:
        raise PortraitError(f"{name}: a {frame.width}x{frame.height} frame cuts the face", "use fit: crop or fit: pad")
    portrait = _animated(framed, frame, name)
    return replace(portrait, warnings=tuple(f"{name}: {text}" for text in (*warnings, *more)))


@dataclass(frozen=True, eq=False)
class _Framed:
    """A picture in its frame, the face that is meant, those of others, and what of the frame is picture."""

    pixels: U8
    landmarks: F32
    others: tuple[F32, ...]
    part: tuple[int, int, int, int]


def _animated(framed: _Framed, frame: FrameFormat, name: str) -> Portrait:
    """Return what an engine animates: the frame, or that part of a whole picture around the head which moves."""
    from moee_cli.face.backdrop import composed, layers_for

    kind = frame.background.kind
    canvas, held = None, (False,) * 4
    if frame.fit is Fit.SOURCE and kind is BackgroundKind.KEEP:
        framed, canvas, held = _around_head(framed)
    pixels, landmarks = framed.pixels, framed.landmarks
    layers = layers_for(pixels, landmarks, framed.others, frame.background, part=framed.part, name=name)
    transparent = kind is BackgroundKind.TRANSPARENT
    if layers is not None and not transparent:
        pixels = composed(layers)
    return Portrait(pixels, landmarks, name, framed.others, layers, transparent=transparent, canvas=canvas, held=held)


def _around_head(framed: _Framed) -> tuple[_Framed, Canvas | None, tuple[bool, bool, bool, bool]]:
    """Return what moves of a picture, the whole as canvas, and at which borders it goes on beyond what moves."""
    height, width = framed.pixels.shape[:2]
    box = animated_part(framed.landmarks, width, height)
    if box is None:
        return framed, None, (False,) * 4
    left, top, right, bottom = box
    shift = np.array([left, top, 0], np.float32)
    part = _Framed(
        np.ascontiguousarray(framed.pixels[top:bottom, left:right]),
        framed.landmarks - shift,
        tuple(other - shift for other in framed.others),
        (0, 0, right - left, bottom - top),
    )
    return part, Canvas(framed.pixels, left, top), (left > 0, top > 0, right < width, bottom < height)


def source_frame(path: Path, frame: FrameFormat) -> tuple[FrameFormat, tuple[str, ...]]:
    """Return the format in the size that it asks for of a picture (`fit: source`), and what is remarkable about it.

    Sides are rounded down to even numbers; a picture larger than a frame may be is made smaller.

    Raises:
        PortraitError: the file is no usable picture, or the frame would be too small.
    """
    name = shown_name(path)
    sides = read_picture(path).shape[1::-1]
    least, greatest = FRAME_SIDES
    asked, fits = frame.scale_of_picture or 1.0, greatest / max(sides)
    width, height = (round(side * min(asked, fits)) // 2 * 2 for side in sides)
    if min(width, height) < least:
        raise PortraitError(
            f"{name}: fit: source makes the frame {width}x{height}, smaller than {least} pixels",
            "use a larger picture, a larger scale, or name a size",
        )
    told = f"{name}: the frame is {width}x{height}, as large as one may be, and the picture is larger"
    return replace(frame, width=width, height=height), (told,) if asked > fits else ()


# --- choose ---------------------------------------------------------------------------------------------------------


def choose_face(
    picture: U8, face: str | None, name: str, model: Path | None = None
) -> tuple[Face, list[Face], list[str]]:
    """Return the face that is meant, the others, and warnings; see `load_portrait` for `face`.

    Raises:
        PortraitError: there is none, `face` fits none, or several and no choice.
    """
    box = _parse_box(face)
    if box is not None:
        chosen = _face_in_box(picture, box, name, model)
        return chosen, [one for one in find_faces(picture, model=model) if not _middle_in(one, chosen.box)], []
    faces = find_faces(picture, model=model, every=face is not None)  # numbers count small faces too, whoever asks
    if not faces:
        raise _no_face(picture, name, model)
    by_size = sorted(faces, key=lambda one: one.area, reverse=True)
    if face is None:
        if len(faces) > 1 and by_size[0].area < DOMINANT * by_size[1].area:
            raise PortraitError(f"{name} shows {len(faces)} faces: {_listed(faces)}", _CHOICES)
        remark = f"{len(faces)} faces, the largest is used (face {faces.index(by_size[0])} from the left)"
        return by_size[0], by_size[1:], [remark] if len(faces) > 1 else []
    word = face.strip().lower()
    if word in FACES:
        chosen = {"largest": by_size[0], "left": faces[0], "right": faces[-1]}[word]
        return chosen, [one for one in faces if one is not chosen], []
    if not re.fullmatch(r"\d{1,6}", word):
        raise PortraitError(f'{name}: "{face:.40}" does not choose a face', _CHOICES)
    if int(word) >= len(faces):
        raise PortraitError(f"{name}: face {word} asked for, but it shows {_count(faces)}: {_listed(faces)}", _CHOICES)
    return faces.pop(int(word)), faces, []


def _no_face(picture: U8, name: str, model: Path | None) -> PortraitError:
    """Return the error for a picture without a face: one on its side, or in profile, is told from one of nobody."""
    reach = side_view(picture)
    if reach is not None:
        return PortraitError(
            f"{name}: the head is seen from the side, its nose {reach:.1f} ear distances from the middle between the "
            f"ears, more than {FROM_THE_SIDE:g}",
            "use a picture in which the face looks into the camera",
        )
    for quarters, how in ((1, "lies on its side"), (3, "lies on its side"), (2, "stands on its head")):
        step = -(-max(picture.shape) // _SIDEWAYS_PX)
        upright = np.ascontiguousarray(np.rot90(picture[::step, ::step], quarters))
        if any(abs(lean_of(one.landmarks)) < LYING for one in find_faces(upright, model=model)):
            return PortraitError(f"{name}: the face {how}", TURN)
    return PortraitError(
        f"{name}: no face found",
        "use a picture that shows one whole face from the front, evenly lit and not covered; a small one in a large "
        "picture can be pointed out with face: x,y,w,h",
    )


_LISTED = 8
"""Faces of a crowd that are named in a message."""
_CHOICES = "write face: largest, left, right, a number counted from the left (0 is the first), or a box x,y,w,h in px"


def _count(faces: list[Face]) -> str:
    return "1 face" if len(faces) == 1 else f"{len(faces)} faces"


def _listed(faces: list[Face]) -> str:
    """Return the faces as choices: number and box; of many the first."""
    boxes = [(left, top, right - left, bottom - top) for left, top, right, bottom in (one.box for one in faces)]
    listed = [f"{number} at {','.join(str(round(v)) for v in box)}" for number, box in enumerate(boxes)]
    return "; ".join([*listed[:_LISTED], *(["..."] if len(listed) > _LISTED else [])])


def _parse_box(face: str | None) -> tuple[float, float, float, float] | None:
    """Return x, y, w, h of a box, None if the choice is no box."""
    parts = re.split(r"[,\s]+", face.strip()) if face else []
    if len(parts) != 4 or not all(re.fullmatch(r"\d{1,6}(\.\d{1,6})?", part) for part in parts):
        return None
    x, y, w, h = (float(part) for part in parts)
    return x, y, w, h


def _face_in_box(picture: U8, box: tuple[float, float, float, float], name: str, model: Path | None) -> Face:
    """Return the face whose middle lies nearest to the middle of a box, searching around that box only."""
    height, width = picture.shape[:2]
    x, y, w, h = box
    if w < 1 or h < 1 or x >= width or y >= height:
        raise PortraitError(
            f"{name}: the box {x:g},{y:g},{w:g},{h:g} is not in the picture", f"the picture has {width}x{height} px"
        )
    margin = 0.75 * max(w, h)
    left, top = int(max(x - margin, 0)), int(max(y - margin, 0))
    right, bottom = int(min(x + w + margin, width)), int(min(y + h + margin, height))
    shift = np.array([left, top, 0], np.float32)
    found = [
        replace(one, landmarks=one.landmarks + shift)
        for one in find_faces(picture[top:bottom, left:right], model=model)
    ]
    inside = [one for one in found if _middle_in(one, box)]
    if not inside:
        raise PortraitError(
            f"{name}: no face found in the box {x:g},{y:g},{w:g},{h:g}", "draw the box from hair line to chin"
        )
    return max(inside, key=lambda one: one.area)


def _middle_in(face: Face, box: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = face.box
    x, y, w, h = box
    return x <= (left + right) / 2 <= x + w and y <= (top + bottom) / 2 <= y + h


# --- place ----------------------------------------------------------------------------------------------------------


def _placement(picture: U8, face: Face, frame: FrameFormat) -> tuple[Placement, list[str]]:
    """Return where the picture goes in the frame, and remarks about it."""
    size = (frame.width, frame.height)
    shape = (picture.shape[1], picture.shape[0])
    if frame.fit is Fit.PAD:
        placement = place_whole(shape, size)
    elif frame.fit is Fit.SOURCE and size == (shape[0] // 2 * 2, shape[1] // 2 * 2):
        placement = Placement(0.0, 0.0, 1.0, *size)  # pixel for pixel; an odd last row or column is left out
    else:
        place = place_cover if frame.fit is Fit.SOURCE else place_face
        placement = place(face.landmarks, shape, size)
    eyes = face.eye_distance_px * placement.scale
    remarks = []
    if placement.scale > SOFT_SCALE:
        remarks.append(f"the picture is enlarged {placement.scale:.1f} times to fill the frame; it will look soft")
    if eyes < SMALL_IN_FRAME_PX and face.eye_distance_px >= SMALL_IN_FRAME_PX:
        remedy = "try fit: crop" if frame.fit is Fit.PAD else "try a larger frame"
        remarks.append(f"the face is small in the frame, {eyes:.0f} px between the outer eye corners; {remedy}")
    return placement, remarks
