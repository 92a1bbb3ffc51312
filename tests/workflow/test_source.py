"""`fit: source`: the film has the size of the first speaker's picture, and only the head in it moves."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from moee_cli.core.errors import ScriptError
from moee_cli.workflow.check import check_file
from moee_cli.workflow.plan import plan
from moee_cli.workflow.render import render
from moee_cli.workflow.scripts import open_script

EXAMPLES = Path(__file__).parents[2] / "examples"
FILM = """moee: 1
output: film.mp4
frame: {{fit: source{more}}}
cast: {{ana: {{portrait: scene.png}}}}
segments:
  - {{audio: line.wav, emotion: happiness}}
"""


@pytest.fixture
def source(film):
    def make(more=""):
        path = film(text=FILM.format(more=more), seconds=0.4)
        ana = Image.open(EXAMPLES / "ana.png").convert("RGB").resize((256, 256))
        scene = Image.new("RGB", (641, 383), (90, 110, 130))
        scene.paste(ana, (300, 100))
        scene.save(path.parent / "scene.png")
        return path

    return make


def test_the_film_is_as_large_as_the_picture_and_still_away_from_the_head(source):
    path = source()
    result = render(open_script(str(path)))
    with av.open(str(result.output)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert frames[0].shape == (382, 640, 3)
    assert max(np.abs(frame[:, :200] - frames[0][:, :200]).max() for frame in frames) <= 6  # the encoder's own unrest
    assert np.abs(frames[-1][180:330, 360:500] - frames[0][180:330, 360:500]).max() > 25
    assert check_file(str(result.output)).is_ok


@pytest.mark.parametrize(
    ("more", "size"), [("", (640, 382)), (", scale: 0.5", (320, 192)), (", size: 200x160", (200, 160))]
)
def test_scale_and_size(source, more, size):
    (output,) = plan(open_script(str(source(more)))).script.outputs
    assert (output.frame.width, output.frame.height) == size


def test_a_picture_that_makes_too_small_a_frame_is_told_by_plan_and_check(source):
    path = source()
    Image.new("RGB", (200, 50)).save(path.parent / "scene.png")
    with pytest.raises(ScriptError, match=r"makes the frame 200x50, smaller than 64"):
        plan(open_script(str(path)))
    path.write_text(path.read_text().replace("audio: line.wav", "audio: line.wav, to: 9s"))
    told = [(problem.where, problem.key) for problem in check_file(str(path)).problems]
    assert told[0] == (f"{path}:4:8", "cast.ana.portrait")
    assert [key for _, key in told] == ["cast.ana.portrait", "segments[0].to"]


def test_a_huge_picture_is_made_smaller_and_the_plan_says_so(source):
    path = source()
    Image.new("RGB", (6000, 1200)).save(path.parent / "scene.png")
    planned = plan(open_script(str(path)))
    frame = planned.script.outputs[0].frame
    assert (frame.width, frame.height) == (4096, 818)
    assert any("4096x818" in warning for warning in planned.warnings)
