"""`moee sheet` from outside: pictures and scripts, what it prints, what it refuses."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moee_cli.face.picture import read_picture
from moee_cli.workflow.sheet import CELL, GROUP, MARGIN, TITLE

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_picture(moee, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = moee("sheet", EXAMPLES / "ana.png", "--size", "97x96", "--progress", "none")
    assert (result.code, result.out) == (0, "ana-sheet.png\n")
    assert "error" not in result.err
    pixels = np.asarray(Image.open("ana-sheet.png"))
    top = MARGIN + TITLE + GROUP
    first, second = (pixels[top : top + CELL, left : left + CELL] for left in (MARGIN, MARGIN + CELL + 4))
    photo = read_picture(EXAMPLES / "ana.png").astype(float).mean((0, 1))
    assert np.abs(first.astype(float).mean((0, 1)) - photo).max() < 60
    assert (first != second).any()


@pytest.mark.slow
def test_the_cast_of_a_script(moee, film, tmp_path):
    script = film("film.yaml")
    cast = f"cast: {{ana: {{portrait: {EXAMPLES / 'ana.png'}}}, bo: {{portrait: {EXAMPLES / 'kofi.png'}}}}}\n"
    lines = [cast if line.startswith("cast") else line for line in script.read_text().splitlines(keepends=True)]
    script.write_text("".join(lines).replace("audio:", "speaker: ana, audio:"))
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert moee("sheet", EXAMPLES / "ana.png", "--size", "64x64", "-o", one).code == 0
    result = moee("sheet", script, "--size", "64x64", "-o", two)
    assert (result.code, result.out) == (0, f"{two}\n")
    assert "2 faces, " in result.err
    assert Image.open(two).size[1] == 2 * Image.open(one).size[1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["face.jpg", "-o", "sheet.jpg"], 3, "a sheet is a PNG"),
        (["face.jpg", "-o", "missing/sheet.png"], 3, "there is no folder missing"),
        (["face.jpg"], 3, "face.jpg: no such file"),
        (["blank.png"], 3, "blank.png: no face found"),
        (["face.jpg", "--size", "big"], 2, '--size: "big" is not a size'),
        (["face.jpg", "--size", "8x8"], 2, "--size: 8x8 is not from 64x64"),
        (["film.yaml", "--face", "left"], 2, "--face is for a picture"),
        (["film.yaml"], 3, "film.yaml"),
        (["face.jpg", "--engine", "motoin"], 4, 'no engine is called "motoin"'),
        (["face.jpg", "--device", "gpu"], 2, "--device"),
    ],
)
def test_what_is_refused(moee, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (200, 200), (90, 120, 150)).save("blank.png")
    result = moee("sheet", *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["blank.png"]
