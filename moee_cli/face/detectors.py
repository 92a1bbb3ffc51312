"""Two backends that find faces in one square picture: both are MediaPipe Face Mesh, so the landmark order is the same.

*bundled*: FaceMesh as shipped inside mediapipe 0.10 (`solutions`); *task file*: a `face_landmarker.task` bundle that
the user has, with mediapipe's task API (0.10 and 1.x). Both refine lips and eyes by attention (Grishchenko et al.,
arXiv 2006.10962).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from moee_cli.core.errors import InputError, Unavailable
from moee_cli.core.types import F32, U8
from moee_cli.face.chatter import without_chatter
from moee_cli.face.picture import shown_name
from moee_cli.face.postponed import postponed

N_LANDMARKS = 478
_MIN_CONFIDENCE = 0.3
_MAX_FACES = 16
_START_SIDE = 512
"""Size of the empty picture that a backend sees first; any would do."""

Points = F32
"""Landmarks [478, 3] in pixels."""
Detect = Callable[[U8], list[Points]]
"""Landmarks of all faces of a square picture, in its pixels."""


def detector(model: Path | None) -> AbstractContextManager[Detect]:
    """Return the backend; it starts on entering and is closed on leaving.

    Raises:
        Unavailable, InputError: see `landmarks.find_faces`.
    """
    return _quiet_start(_bundled() if model is None else _from_task_file(model))


@contextmanager
def _quiet_start(backend: AbstractContextManager[Detect]) -> Iterator[Detect]:
    """Silence a backend while it starts, until it has seen its first face, and while it closes."""
    with without_chatter():
        detect = backend.__enter__()
        detect(np.zeros((_START_SIDE, _START_SIDE, 3), np.uint8))  # returns when every part has started and said so
    warm = False

    def detect_quietly(square: U8) -> list[Points]:
        nonlocal warm
        if warm:
            return detect(square)
        with without_chatter():
            found = detect(square)
        warm = bool(found)
        return found

    try:
        yield detect_quietly
    finally:
        with without_chatter():
            backend.__exit__(None, None, None)


@contextmanager
def _bundled() -> Iterator[Detect]:
    """Run FaceMesh with the models inside the mediapipe 0.10 package."""
    import_mediapipe()
    try:
        from mediapipe.python.solutions.face_mesh import FaceMesh
    except ImportError as error:
        raise _unavailable(error) from error
    mesh = FaceMesh(
        static_image_mode=True,
        refine_landmarks=True,
        max_num_faces=_MAX_FACES,
        min_detection_confidence=_MIN_CONFIDENCE,
    )
    with mesh:
        yield lambda square: [
            _to_pixels(face.landmark, square.shape[0]) for face in mesh.process(square).multi_face_landmarks or ()
        ]


@contextmanager
def _from_task_file(model: Path) -> Iterator[Detect]:
    """Run the user's own model file with the task API (mediapipe 0.10 and 1.x)."""
    mediapipe = import_mediapipe()
    try:
        from mediapipe.tasks.python import BaseOptions, vision
    except ImportError as error:
        raise _unavailable(error) from error
    name = shown_name(model)
    try:
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
            num_faces=_MAX_FACES,
            min_face_detection_confidence=_MIN_CONFIDENCE,
            min_face_presence_confidence=_MIN_CONFIDENCE,
        )
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", "check the path of the landmark model") from error
    try:
        landmarker = vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{name} is no face landmark model", "it must be a face_landmarker.task bundle") from error

    def detect(square: U8) -> list[Points]:
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=square)
        return [_to_pixels(face, square.shape[0]) for face in landmarker.detect(image).face_landmarks]

    with landmarker:
        yield detect


def _to_pixels(face: Iterable[Any], side: int) -> Points:
    """Return normalised landmarks of a square picture in its pixels, pixel centres at .5."""
    points = np.array([(point.x, point.y, point.z) for point in face], np.float32) * np.float32(side)
    if points.shape != (N_LANDMARKS, 3):
        raise InputError(f"the landmark model gives {len(points)} points", f"one with {N_LANDMARKS} is needed")
    points[:, :2] += 0.5
    return points


def import_mediapipe() -> Any:
    """Return the library.

    Raises:
        Unavailable: it, or a system library that it needs, is missing.
    """
    # Imported by mediapipe for its drawing helpers; it reports the making of its font cache as a warning.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        with postponed(*_NOT_NEEDED):
            import mediapipe
    except ImportError as error:
        raise _unavailable(error) from error
    return mediapipe


def _unavailable(error: ImportError) -> Unavailable:
    """Return what a failed import means to the user."""
    library = re.match(r"(\S+\.so[.\d]*): cannot open shared object", str(error))
    if library:
        return Unavailable(
            f"finding faces needs the system library {library[1]}",
            f"on Debian and Ubuntu: apt-get install {_SYSTEM_PACKAGES.get(library[1], _OPENCV_NEEDS)}",
        )
    if error.name == "mediapipe":
        return Unavailable("finding faces needs mediapipe, which is not installed", f"pip install {_WITH_MODELS}")
    if error.name in {"mediapipe.python", "mediapipe.python.solutions"}:
        return Unavailable(
            "this mediapipe holds no landmark models",
            f"pip install {_WITH_MODELS}, or give a face_landmarker.task file as the landmark model",
        )
    return Unavailable(f"mediapipe cannot be loaded: {error}", f"pip install --force-reinstall {_WITH_MODELS}")


_NOT_NEEDED = ("matplotlib", "matplotlib.pyplot", "sounddevice")
"""What mediapipe imports to draw charts and record sound: 0.55 of the 0.95 s of CPU that its import takes."""
_WITH_MODELS = '"mediapipe==0.10.21"'
_SYSTEM_PACKAGES = {"libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2"}
_OPENCV_NEEDS = "libgl1 libglib2.0-0"
"""Debian packages of the libraries that mediapipe and opencv-contrib-python load and slim containers lack."""
