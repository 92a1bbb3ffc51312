"""A picture file to upright 8-bit RGB in sRGB, with bounded memory, whatever camera, scanner or program wrote it.

Only raster formats are opened: Pillow's readers that start other programs (PostScript) stay out of reach.
"""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from moee_cli.core.errors import OutOfMemory, PortraitError
from moee_cli.core.types import U8

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 6000
"""Longest side of what `read_picture` returns; larger pictures are averaged down to it."""
MAX_PIXELS = 150_000_000
"""Most pixels a decoder may have to hold at once (600 MB with alpha): decompression bombs end here."""
MAX_BYTES = MAX_PIXELS * 8
"""Largest file: that many pixels of four 16-bit channels, not compressed. Some of Pillow's readers take all of it."""
MIN_SIDE = 32
"""Smaller pictures are icons: they hold no usable face and make no background."""
BACKDROP = 128
"""Transparent pixels show this grey: beside it both dark and light hair keep an edge."""

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF", "PPM", "TGA")
_USE_JPEG = "save it as JPEG or PNG and use that"
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, LookupError, TypeError, OverflowError,
    RuntimeError,
)  # fmt: skip
"""What Pillow's readers raise on damaged files, by their documentation and by mutating files (tests)."""


def shown_name(path: Path) -> str:
    """Return the file name for messages: no folders, control characters and undecodable bytes escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in path.name) or "."


def read_picture(path: Path) -> U8:
    """Return the picture as RGB uint8 [H, W, 3] in sRGB, upright, longest side at most `MAX_SIDE`.

    EXIF orientation and embedded colour profiles are applied, transparency is laid over `BACKDROP` grey, 16-bit,
    grey, palette and CMYK pictures are converted; of several frames or pages the first counts.

    Raises:
        PortraitError: missing, no file, unreadable, empty, no picture, damaged, too small, too many pixels.
        OutOfMemory: the picture does not fit into memory.
    """
    with _decoded(path) as image:
        return _upright(_shrunk(image), _orientation(image))


def check_picture(path: Path) -> None:
    """Find out whether `read_picture` can read a file: it is decoded and thrown away.

    What is no picture, or larger than the limits, is known by the first bytes of the file.

    Raises:
        PortraitError, OutOfMemory: as `read_picture`.
    """
    with _decoded(path):
        pass


@contextmanager
def _decoded(path: Path) -> Iterator[Image]:
    """Open a file, decode its first picture within the limits, and close it at the end."""
    name = shown_name(path)
    with _opened(path, name) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the pixel limit is our own, odd metadata does not matter
                yield _loaded(file, name)
        except MemoryError as error:
            raise OutOfMemory(f"{name}: the picture does not fit into memory", "make the picture smaller") from error


def _opened(path: Path, name: str) -> BinaryIO:
    """Return a regular file that holds something, open for reading."""
    try:
        state = path.stat()
        mode = state.st_mode
        if stat.S_ISDIR(mode):
            raise PortraitError(f"{name} is a folder, not a picture", "name the picture file inside it")
        if not stat.S_ISREG(mode):
            raise PortraitError(f"{name} is not a regular file", "name a picture file")
        if not state.st_size:
            raise PortraitError(f"{name} is empty", "copy or export the picture again")
        if state.st_size > MAX_BYTES:
            told = f"{name} is too large a file: {state.st_size / 1e9:.1f} GB"
            raise PortraitError(told, f"at most {MAX_BYTES / 1e9:.1f} GB are read; save it as JPEG or PNG")
        return path.open("rb")
    except FileNotFoundError:
        raise PortraitError(f"{name}: no such file", "check the path; it is relative to the script") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PortraitError(f"{name} cannot be read: {reason}", "check the path and its permissions") from error


def _loaded(file: BinaryIO, name: str) -> Image:
    """Return the decoded picture, not yet upright nor in sRGB."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    Pillow.init()
    try:
        image = Pillow.open(file, formats=[known for known in _FORMATS if known in Pillow.OPEN])
    except UnidentifiedImageError:
        raise PortraitError(f"{name} is not a picture{_kind(file)}", _USE_JPEG) from None
    except Pillow.DecompressionBombError:
        raise PortraitError(f"{name} has too many pixels", f"at most {MAX_PIXELS // 10**6} million are read") from None
    except _BROKEN as error:
        raise PortraitError(f"{name} is damaged: {error}", _USE_JPEG) from error
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise PortraitError(f"{name} is only {width}x{height} px", "use a larger picture")
    image.draft("RGB", (MAX_SIDE // 2, MAX_SIDE // 2))  # JPEG alone: decodes at 1/2, 1/4 or 1/8, not below this size
    if image.width * image.height > MAX_PIXELS:
        raise PortraitError(
            f"{name} has too many pixels: {width}x{height}",
            f"at most {MAX_PIXELS // 10**6} million are read; make it smaller or cut it to the person",
        )
    try:
        image.load()
    except _BROKEN as error:
        raise PortraitError(f"{name} is damaged: {error}", "copy or export the picture again") from error
    return image


def _kind(file: BinaryIO) -> str:
    """Return, in brackets, what a file is instead, where that helps."""
    file.seek(0)
    data = file.read(512)
    head = data.lstrip().lower()
    if data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"heif"}:
        return " that can be read (HEIC)"
    if head.startswith((b"<svg", b"<?xml")) and b"svg" in head:
        return " made of pixels (SVG)"
    if head.startswith(b"%pdf"):
        return " (PDF)"
    return ""


def _shrunk(image: Image) -> U8:
    """Return RGB [H, W, 3] of at most `MAX_SIDE`, converted in strips so that no second full-size copy exists."""
    from PIL import Image as Pillow

    to_rgb = _Converter(image)
    factor = ceil(max(image.size) / MAX_SIDE)
    if factor == 1:
        return np.ascontiguousarray(to_rgb(image))
    rows = factor * max(1, 2**20 // (image.width * factor))
    strips = []
    for top in range(0, image.height, rows):
        strip = to_rgb(image.crop((0, top, image.width, min(top + rows, image.height))))
        strips.append(np.asarray(Pillow.fromarray(strip).reduce(factor)))
    return np.concatenate(strips)


class _Converter:
    """Turns strips of one decoded image of any mode into sRGB arrays [h, w, 3]."""

    def __init__(self, image: Image) -> None:
        self._mode = image.mode
        self._transparent = "transparency" in image.info
        self._grey_scale = _grey_scale(image)
        self._to_srgb = _profile_transform(image)

    def __call__(self, strip: Image) -> U8:
        from PIL import Image as Pillow

        if self._grey_scale is not None:
            low, gain = self._grey_scale
            values = np.nan_to_num(np.asarray(strip, np.float32), nan=low)
            grey = (np.clip((values - low) * gain, 0, 255) + 0.5).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=2)
        if self._mode in {"RGBA", "LA", "PA", "RGBa", "La"} or self._transparent:
            pixels = strip.convert("RGBA")
            backdrop = Pillow.new("RGB", strip.size, (BACKDROP,) * 3)
            backdrop.paste(pixels, mask=pixels.getchannel("A"))
            return self._in_srgb(np.array(backdrop))
        if self._to_srgb is not None and self._mode in {"CMYK", "LAB"}:
            return np.array(self._to_srgb(strip))
        return self._in_srgb(np.array(strip.convert("RGB")))

    def _in_srgb(self, pixels: U8) -> U8:
        from PIL import Image as Pillow

        if self._to_srgb is None or self._mode in {"CMYK", "LAB", "L", "LA", "1"}:
            return pixels
        return np.array(self._to_srgb(Pillow.fromarray(pixels)))


def _grey_scale(image: Image) -> tuple[float, float] | None:
    """Return (black, gain to 8 bit) for grey pictures of more than 8 bits, None for the others.

    16-bit values are scaled by the type's range, float and 32-bit values (scientific TIFF) by what occurs in them.
    """
    if image.mode.startswith("I;16"):
        return 0.0, 255.0 / 65535.0
    if image.mode not in {"I", "F"}:
        return None
    values = np.asarray(image, np.float32)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low >= 0 and image.format in {"PNG", "PPM"}:  # older Pillow reads 16-bit grey PNG as 32 bit
        return 0.0, 255.0 / 65535.0
    return low, 255.0 / max(high - low, 1e-12)


def _profile_transform(image: Image) -> Any:
    """Return a function Image -> RGB Image in sRGB by the embedded colour profile, or None without a usable one."""
    profile = image.info.get("icc_profile")
    mode = image.mode if image.mode in {"CMYK", "LAB"} else "RGB"
    if not profile or image.mode in {"L", "LA", "1"}:
        return None
    try:
        from PIL import ImageCms

        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), mode, "RGB"
        )
    except (ImportError, OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None  # a broken profile changes colours a little; it is no reason to refuse a portrait
    return lambda strip: ImageCms.applyTransform(strip, transform)


def _orientation(image: Image) -> int:
    """Return the EXIF orientation 1..8; 1 where there is none or it cannot be read."""
    try:
        value = image.getexif().get(0x0112, 1)
    except _BROKEN:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: U8, orientation: int) -> U8:
    """Return the pixels as the photographer saw them (EXIF 2.32, tag 0x0112)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
