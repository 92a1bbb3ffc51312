"""Sheets: what stands on them, where, and which files they leave alone."""

import numpy as np
import pytest
from PIL import Image

from moee_cli.audio.visemes import MOUTH_SHAPES
from moee_cli.core.errors import OutputError, PortraitError, Unavailable
from moee_cli.core.labels import EXPERTS, N_MOTION
from moee_cli.core.types import FrameFormat, Portrait
from moee_cli.engines.base import Pose
from moee_cli.engines.motion.showcase import sheet_poses
from moee_cli.workflow import sheet
from moee_cli.workflow.sheet import CAPTION, CELL, COLUMNS, GAP, GROUP, MARGIN, TITLE, make_sheet, sitting_of_picture

FRAME = FrameFormat(96, 96)


class StillEngine:
    """Draws the portrait, brighter by what the only channel says."""

    def prepare(self, portrait):
        return portrait.pixels

    def poses(self):
        row = np.zeros(1, np.float32)
        some = [Pose("few", f"pose {number}", row + number) for number in range(3)]
        return [*some, Pose("head", "turned", row + 90, whole_head=True)]

    def draw(self, prepared, motion):
        for row in motion:
            yield np.full_like(prepared, row[0])

    def close(self):
        self.closed = True


class PoselessEngine(StillEngine):
    poses = None


@pytest.fixture
def portrait():
    """A portrait that is larger than the square around its face."""
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[0, :2], landmarks[1, :2] = (40, 20), (60, 60)
    return Portrait(np.zeros((96, 96, 3), np.uint8), landmarks)


def sit(monkeypatch, portrait, engine):
    monkeypatch.setattr(sheet, "create_engine", lambda *_: engine)
    monkeypatch.setattr("moee_cli.face.portrait.load_portrait", lambda *_, **__: portrait)


def test_every_cell_holds_its_pose(monkeypatch, portrait, tmp_path):
    engine = StillEngine()
    sit(monkeypatch, portrait, engine)
    target = tmp_path / "sheet.png"
    result = make_sheet(sitting_of_picture(tmp_path / "face.png", None, FRAME, None), target)
    assert (result.n_faces, result.n_poses, engine.closed) == (1, 4, True)
    pixels = np.asarray(Image.open(target))
    assert pixels.shape == (
        2 * MARGIN + TITLE + 2 * (GROUP + CELL + CAPTION + GAP),
        2 * MARGIN + COLUMNS * CELL + (COLUMNS - 1) * GAP,
        3,
    )
    top = MARGIN + TITLE + GROUP
    for number in range(3):
        left = MARGIN + number * (CELL + GAP)
        assert (pixels[top : top + CELL, left : left + CELL] == number).all()
    second = top + CELL + CAPTION + GAP + GROUP
    assert (pixels[second : second + CELL, MARGIN : MARGIN + CELL] == 90).all()
    captions = pixels[top + CELL : top + CELL + CAPTION, MARGIN : MARGIN + CELL]
    assert captions.max() > 200


def test_a_sheet_says_that_it_is_made(monkeypatch, portrait, tmp_path):
    sit(monkeypatch, portrait, StillEngine())
    make_sheet(sitting_of_picture(tmp_path / "face.png", None, FRAME, None), tmp_path / "sheet.png")
    told = Image.open(tmp_path / "sheet.png").info
    assert told["Software"].startswith("moee sheet")
    assert "AI-generated" in told["Comment"]


def test_an_engine_without_poses(monkeypatch, portrait, tmp_path):
    sit(monkeypatch, portrait, PoselessEngine())
    with pytest.raises(Unavailable, match="no poses to show"):
        make_sheet(sitting_of_picture(tmp_path / "face.png", None, FRAME, None), tmp_path / "sheet.png")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_sheet(monkeypatch, portrait, tmp_path):
    sit(monkeypatch, portrait, StillEngine())
    sitting, target = sitting_of_picture(tmp_path / "face.png", None, FRAME, None), tmp_path / "sheet.png"
    make_sheet(sitting, target)
    before = target.read_bytes()

    def refuse(*_, **__):
        raise PortraitError("face.png: no face found")

    monkeypatch.setattr("moee_cli.face.portrait.load_portrait", refuse)
    with pytest.raises(PortraitError):
        make_sheet(sitting, target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nbroken", b"GIF89a"])
def test_other_files_are_left_alone(monkeypatch, portrait, tmp_path, content):
    sit(monkeypatch, portrait, StillEngine())
    sitting, target = sitting_of_picture(tmp_path / "face.png", None, FRAME, None), tmp_path / "other.png"
    target.write_bytes(content)
    with pytest.raises(OutputError, match="is not a sheet"):
        make_sheet(sitting, target)
    assert target.read_bytes() == content
    make_sheet(sitting, target, force=True)
    assert Image.open(target).size[0] > COLUMNS * CELL


def test_the_picture_itself_is_never_overwritten(monkeypatch, portrait, tmp_path):
    sit(monkeypatch, portrait, StillEngine())
    picture = tmp_path / "face.png"
    picture.write_bytes(b"pixels")
    with pytest.raises(OutputError, match="to be shown"):
        make_sheet(sitting_of_picture(picture, None, FRAME, None), picture, force=True)


@pytest.mark.parametrize(("low", "high"), [((40, 20), (60, 60)), ((-10, -10), (30, 40)), ((0, 0), (96, 96))])
@pytest.mark.parametrize("reach", [0.6, 1.2, 3.0])
def test_what_is_cut_out_is_square_and_inside(low, high, reach):
    landmarks = np.array([[*low, 0], [*high, 0]], np.float32)
    part = np.zeros((96, 128, 3))[sheet._square(landmarks, np.zeros((96, 128, 3), np.uint8), reach)]
    assert part.shape[0] == part.shape[1] > 0


def test_a_person_without_background_stands_on_grey():
    part = np.zeros((CELL, CELL, 4), np.uint8)
    part[:, : CELL // 2] = (200, 100, 50, 255)
    seen = sheet._fitted(part)
    assert seen[0, 0].tolist() == [200, 100, 50]
    assert seen[0, -1].tolist() == [sheet.BEHIND] * 3


def test_the_embedded_engine_shows_all_there_is():
    poses = sheet_poses()
    assert all(pose.motion.shape == (N_MOTION,) and pose.motion.dtype == np.float32 for pose in poses)
    assert len({(pose.group, pose.name) for pose in poses}) == len(poses)
    assert not poses[0].motion.any()
    assert all(pose.motion.any() for pose in poses[1:])
    names = {pose.name for pose in poses}
    assert set(MOUTH_SHAPES[1:]) <= names
    assert {f"{name} {share}" for name in EXPERTS for share in ("0.5", "1")} <= names
    moved = np.abs(np.stack([pose.motion for pose in poses])).max(0) > 0
    assert moved.mean() > 0.8
