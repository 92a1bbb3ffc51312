"""Every kind of file a user may call a portrait."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from moee_cli.core.errors import PortraitError
from moee_cli.face import picture as picture_module
from moee_cli.face.picture import BACKDROP, MAX_BYTES, MAX_SIDE, check_picture, read_picture, shown_name


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """RGB [60, 90, 3] without any symmetry."""
    rows, columns = np.mgrid[0:60, 0:90]
    return np.stack([rows * 4, columns * 2, (rows + columns) // 2], axis=2).astype(np.uint8)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.png", {}, 0),
        ("a.bmp", {}, 0),
        ("a.tif", {"compression": "tiff_lzw"}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.webp", {"quality": 95}, 4),
        ("a.jpg", {"quality": 95}, 4),
        ("a.jpg", {"quality": 95, "progressive": True}, 4),
        ("a.jp2", {}, 4),
        ("a.png", {"interlace": 1}, 0),
        ("wrong ending.txt.png", {"format": "JPEG", "quality": 95}, 4),
    ],
)
def test_formats(saved, scene, name, options, tolerance):
    pixels = read_picture(saved(scene, name, **options))
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert difference(pixels, scene) <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_exif_orientation(saved, scene, orientation, name):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(scene, name, exif=exif, quality=95)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    np.testing.assert_array_equal(read_picture(path), upright)
    assert read_picture(path).shape == ((60, 90, 3) if orientation < 5 else (90, 60, 3))


def test_orientation_out_of_range_is_ignored(saved, scene):
    exif = Image.Exif()
    exif[0x0112] = 77
    np.testing.assert_array_equal(read_picture(saved(scene, exif=exif)), scene)


def test_alpha_is_laid_over_grey(saved, scene):
    alpha = np.zeros(scene.shape[:2], np.uint8)
    alpha[:, 30:60], alpha[:, 60:] = 128, 255
    pixels = read_picture(saved(np.dstack([scene, alpha])))
    assert (pixels[:, :30] == BACKDROP).all()
    assert difference(pixels[:, 30:60], ((scene[:, 30:60].astype(int) + BACKDROP) / 2).astype(np.uint8)) < 1
    np.testing.assert_array_equal(pixels[:, 60:], scene[:, 60:])


def test_transparent_palette_colour(saved, scene):
    image = Image.fromarray(scene).quantize(16)
    path = saved(image, transparency=int(np.asarray(image)[0, 0]))
    assert (read_picture(path)[0, 0] == BACKDROP).all()


def test_grey_with_alpha(saved, scene):
    grey = Image.fromarray(scene).convert("LA")
    grey.putalpha(0)
    assert (read_picture(saved(grey)) == BACKDROP).all()


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_and_palette(saved, scene, mode):
    image = Image.fromarray(scene).convert(mode)
    np.testing.assert_array_equal(read_picture(saved(image)), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bit_grey_keeps_its_tones(saved, scene, name):
    grey = scene[..., 0]
    pixels = read_picture(saved(grey.astype(np.uint16) * 257, name))
    assert difference(pixels, np.repeat(grey[..., None], 3, axis=2)) == 0


def test_sixteen_bit_colour(tmp_path, scene):
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), (scene[..., ::-1].astype(np.uint16) * 257))
    assert difference(read_picture(path), scene) <= 1


def test_float_tiff_is_scaled_by_its_own_range(saved, scene):
    pixels = read_picture(saved(Image.fromarray(scene[..., 0].astype(np.float32) / 999 + 3), "float.tif"))
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert np.corrcoef(pixels[..., 0].ravel(), scene[..., 0].ravel())[0, 1] > 0.999


def test_float_tiff_that_holds_no_numbers(saved):
    assert (read_picture(saved(Image.fromarray(np.full((40, 40), np.nan, np.float32)), "nan.tif")) == 0).all()


def test_cmyk_jpeg(saved, scene):
    path = saved(Image.fromarray(scene).convert("CMYK"), "print.jpg", quality=95)
    assert difference(read_picture(path), scene) < 6


@pytest.fixture(scope="module")
def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_colour_profile_is_applied(saved, scene, srgb):
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    assert difference(read_picture(saved(scene, "swapped.png", icc_profile=swapped)), scene[..., ::-1]) < 1
    assert difference(read_picture(saved(scene, "same.png", icc_profile=srgb)), scene) < 1


def test_broken_colour_profile_is_ignored(saved, scene, srgb):
    np.testing.assert_array_equal(read_picture(saved(scene, icc_profile=srgb[:80])), scene)


def test_first_frame_of_an_animation(saved, scene):
    first = Image.fromarray(scene)
    path = saved(first, "moving.webp", save_all=True, append_images=[Image.new("RGB", first.size)], lossless=True)
    np.testing.assert_array_equal(read_picture(path), scene)


def test_12000_px_wide_jpeg_is_read_smaller(saved, ana):
    wide = Image.fromarray(ana).resize((12000, 3000))
    pixels = read_picture(saved(wide, "wide.jpg", quality=60))
    assert max(pixels.shape) <= MAX_SIDE
    assert pixels.shape[1] == 4 * pixels.shape[0]
    small = np.asarray(Image.fromarray(ana).resize((pixels.shape[1], pixels.shape[0])))
    assert difference(pixels, small) < 3


def test_large_picture_is_averaged_in_strips(saved, scene, monkeypatch):
    monkeypatch.setattr(picture_module, "MAX_SIDE", 45)
    pixels = read_picture(saved(np.tile(scene, (1, 1, 1))))
    expected = scene.reshape(30, 2, 45, 2, 3).mean(axis=(1, 3))
    assert np.abs(pixels - expected).max() <= 1


def test_too_many_pixels(saved, scene, monkeypatch):
    monkeypatch.setattr(picture_module, "MAX_PIXELS", 5000)
    with pytest.raises(PortraitError, match=r"huge\.png has too many pixels: 90x60"):
        read_picture(saved(scene, "huge.png"))


def test_decompression_bomb_is_not_decoded(tmp_path):
    """A header that claims 60000 x 60000 px must be refused before any memory is asked for."""
    data = io.BytesIO()
    Image.new("L", (8, 8)).save(data, "BMP")
    bomb = bytearray(data.getvalue())
    bomb[18:26] = (60000).to_bytes(4, "little") * 2
    path = tmp_path / "bomb.bmp"
    path.write_bytes(bomb)
    with pytest.raises(PortraitError, match=r"bomb.bmp has too many pixels"):
        read_picture(path)


# --- refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cut.jpg", "cut.png", "cut.webp", "cut.tif"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated(saved, ana, name, share):
    path = saved(ana, name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(PortraitError, match=name) as caught:
        read_picture(path)
    assert caught.value.hint


def test_truncated_progressive_jpeg(saved, ana):
    path = saved(ana, "cut.jpg", progressive=True)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(PortraitError, match=r"cut\.jpg is damaged"):
        read_picture(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "p.jpg is empty"),
        (b"hello, I am text\n" * 20, "p.jpg is not a picture"),
        (b"\0" * 4096, "p.jpg is not a picture"),
        (b"%PDF-1.7 ...", r"p.jpg is not a picture \(PDF\)"),
        (b'<?xml version="1.0"?><svg xmlns=""></svg>', r"not a picture made of pixels \(SVG\)"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 64, r"not a picture that can be read \(HEIC\)"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "p.jpg is not a picture"),
    ],
)
def test_no_picture(tmp_path, content, message):
    path = tmp_path / "p.jpg"
    path.write_bytes(content)
    with pytest.raises(PortraitError, match=message) as caught:
        read_picture(path)
    assert caught.value.hint
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.gif", "a.bmp", "a.jp2"])
def test_a_check_refuses_what_reading_refuses(saved, ana, name):
    path = saved(ana, name)
    check_picture(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refusals = []
    for look in (check_picture, read_picture):
        with pytest.raises(PortraitError) as caught:
            look(path)
        refusals.append((caught.value.message, caught.value.hint))
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize(
    ("size", "words"), [(MAX_BYTES + 1, "is too large a file: 1.2 GB"), (MAX_BYTES, "not a picture")]
)
def test_of_a_large_file_only_the_head_is_read(tmp_path, size, words):
    path = tmp_path / "disk.png"
    with path.open("wb") as file:
        file.truncate(size)  # takes no room on the disk
    tracemalloc.start()
    try:
        with pytest.raises(PortraitError, match=words):
            check_picture(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_missing(tmp_path):
    with pytest.raises(PortraitError, match=r"^nobody\.png: no such file$"):
        read_picture(tmp_path / "nobody.png")


def test_folder(tmp_path):
    with pytest.raises(PortraitError, match="is a folder"):
        read_picture(tmp_path)


def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PortraitError, match=r"pipe\.png is not a regular file"):
        read_picture(tmp_path / "pipe.png")


def test_no_permission(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PortraitError, match=r"secret\.png cannot be read: Permission denied"):
        read_picture(path)


@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte"])
def test_names_no_system_takes(tmp_path, name):
    with pytest.raises(PortraitError, match="cannot be read"):
        read_picture(tmp_path / name)


def test_tiny(saved):
    with pytest.raises(PortraitError, match=r"dot\.png is only 8x200 px"):
        read_picture(saved(np.zeros((200, 8, 3), np.uint8), "dot.png"))


@pytest.mark.parametrize("name", ["Zoë Ünï.png", 'it\'s "her".png', "two\nlines.png", "-n.png", "画像.png", "a b.png"])
def test_unusual_names(saved, scene, name):
    np.testing.assert_array_equal(read_picture(saved(scene, name)), scene)


def test_shown_names_fit_into_one_line():
    assert shown_name(Path("/secret/place/two\nlines.png")) == r"two\nlines.png"
    assert shown_name(Path("bad\udcffbyte.png")) == r"bad\udcffbyte.png"
    assert shown_name(Path("Zoë 画像.png")) == "Zoë 画像.png"


def test_damaged_files_give_one_kind_of_error(saved, scene):
    """Five hundred files with flipped bytes: a picture or a `PortraitError`, nothing else."""
    generator = np.random.default_rng(5)
    formats = {"a.jpg": {}, "b.png": {}, "c.webp": {}, "d.tif": {}, "e.gif": {}, "f.bmp": {}}
    originals = {name: saved(scene, name, **options).read_bytes() for name, options in formats.items()}
    path = saved(scene, "damaged.png")
    messages = []
    for trial in range(500):
        data = bytearray(list(originals.values())[trial % len(originals)])
        for place in generator.integers(0, min(len(data), 600), size=8):
            data[place] = generator.integers(256)
        path.write_bytes(data)
        try:
            pixels = read_picture(path)
        except PortraitError as error:
            messages.append(error.message)
        else:
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3
    assert len(messages) > 100
    assert all(message.startswith("damaged.png") for message in messages)
