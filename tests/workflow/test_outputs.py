"""Several outputs of one script: moved once, drawn for each as if it were alone; one that fails spoils no other."""

from fractions import Fraction
from pathlib import Path

import pytest

from moee_cli.core.errors import EnvironmentFailed, OutputError, UsageError
from moee_cli.core.progress import Silent
from moee_cli.engines.motion.engine import MotionEngine
from moee_cli.media.probe import probe_video
from moee_cli.store.paths import cache_folder
from moee_cli.workflow import render as rendering
from moee_cli.workflow.check import check_file
from moee_cli.workflow.plan import plan
from moee_cli.workflow.provenance import read_sidecar
from moee_cli.workflow.render import render
from moee_cli.workflow.scripts import open_script

EXAMPLES = Path(__file__).parents[2] / "examples"
SQUARE = "{path: square.mp4, frame: {size: 128x128}}"
VERTICAL = "{path: out/vertical.mp4, preset: loud, frame: {size: 96x160}}"
WIDE = "{path: wide.mov, preset: best, frame: {size: 160x96}}"
FILM = f"""
cast: {{ana: {{portrait: "{EXAMPLES / "ana.png"}"}}, kofi: {{portrait: "{EXAMPLES / "kofi.png"}"}}}}
defaults: {{speaker: ana}}
segments:
  - {{id: a, audio: line.wav, emotion: happiness}}
  - {{id: b, audio: line.wav, emotion: anger, intensity: 1}}
  - {{pause: 200ms}}
  - {{id: c, audio: line.wav, speaker: kofi, emotion: fear, transition: dissolve 160ms}}
  - {{id: d, audio: line.wav, speaker: kofi, emotion: sadness}}
"""


@pytest.fixture
def script(film):
    def make(*entries, seconds=0.5, **given):
        text = "moee: 1\noutput:\n" + "".join(f"  - {entry}\n" for entry in entries) + FILM
        return open_script(str(film(text=text, seconds=seconds)), **given)

    return make


class Recorder(Silent):
    def __init__(self):
        self.events, self.totals, self.n_drawn, self.warnings = [], {}, 0, []

    def start(self, stage, total=None, unit="frames"):
        self.stage, self.totals[stage] = stage, total

    def advance(self, n=1):
        self.n_drawn += n * (self.stage == "draw")

    def event(self, name, **fields):
        self.events.append((name, fields))

    def warn(self, message):
        self.warnings.append(message)

    def named(self, name):
        return [fields for told, fields in self.events if told == name]


@pytest.fixture
def samples(monkeypatch):
    """Record what the engine is asked to sample."""
    asked = []
    sample = MotionEngine.sample

    def record(self, prepared, drive, *, noise):
        asked.append((drive.spans, drive.before, drive.n_frames))
        return sample(self, prepared, drive, noise=noise)

    monkeypatch.setattr(MotionEngine, "sample", record)
    return asked


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_three_shapes_of_one_performance(script, samples, tmp_path):
    told = Recorder()
    result = render(script(SQUARE, VERTICAL, WIDE), progress=told)
    n_samples = len(samples)
    assert n_samples == len(set(samples)), "a chunk is sampled once for all shapes"
    assert [video.path for video in result.videos] == [
        tmp_path / "square.mp4", tmp_path / "out/vertical.mp4", tmp_path / "wide.mov",
    ]  # fmt: skip
    infos = [probe_video(video.path) for video in result.videos]
    assert [(info.width, info.height) for info in infos] == [(128, 128), (96, 160), (160, 96)]
    assert {info.n_frames for info in infos} == {result.n_frames}
    assert told.totals["draw"] == told.n_drawn == 3 * result.n_frames
    assert [Path(event["output"]).name for event in told.named("done")] == ["square.mp4", "vertical.mp4", "wide.mov"]
    assert len(told.named("piece")) == 3 * len(plan(script(SQUARE)).timeline.pieces)

    together = [video.path.read_bytes() for video in result.videos]
    for entry, video, made in zip((SQUARE, VERTICAL, WIDE), result.videos, together, strict=True):
        samples.clear()
        render(script(entry))
        assert video.path.read_bytes() == made, "as if it were alone"
        assert len(samples) == n_samples


def test_each_says_how_it_was_made(script, tmp_path):
    opened = script(SQUARE, VERTICAL, WIDE)
    videos = render(opened).videos
    sidecars = [read_sidecar(video.path) for video in videos]
    assert [sidecar["frame"]["width"] for sidecar in sidecars] == [128, 96, 160]
    assert [sidecar["encoding"]["loudness_lufs"] for sidecar in sidecars] == [None, -16.0, None]
    assert [sidecar["script"]["presets"][1:] for sidecar in sidecars] == [[], ["loud"], ["best"]]
    assert [sidecar["script"]["hash"] for sidecar in sidecars] == [output.source_hash for output in opened.outputs]
    assert [check_file(str(video.path)).problems for video in videos] == [(), (), ()]
    script(SQUARE, VERTICAL.replace("96x160", "96x192"), WIDE)  # changes the script
    problems = [check_file(str(video.path)).problems for video in videos]
    assert [[problem.key for problem in found] for found in problems] == [[], ["script"], []]
    assert check_file(str(tmp_path / "film.yaml")).facts["n_outputs"] == 3


def test_another_frame_rate_is_performed_for_itself(script, samples):
    fast = "{path: fast.mp4, frame: {size: 128x128, fps: 29.97}}"
    result = render(script(SQUARE, fast, "{path: again.mp4, frame: {size: 64x64, fps: 29.97}}"))
    infos = [probe_video(video.path) for video in result.videos]
    assert [info.fps for info in infos] == [25, Fraction(30000, 1001), Fraction(30000, 1001)]
    assert [info.n_frames for info in infos] == [video.n_frames for video in result.videos]
    made = result.videos[1].path.read_bytes()
    n_samples = len(samples)
    render(script(fast))
    assert result.videos[1].path.read_bytes() == made
    n_alone = len(samples) - n_samples
    samples.clear()
    render(script(SQUARE))
    assert n_samples == n_alone + len(samples)


def test_a_part_of_each(script, tmp_path):
    render(script(SQUARE, WIDE), only=["b", "c"])
    assert files(tmp_path) == sorted(
        ["film.yaml", "line.wav"]
        + [f"{name}{ending}" for name in ("square.b+c.mp4", "wide.b+c.mov") for ending in ("", ".moee.json")]
    )


def test_one_path_for_several_outputs_is_refused(script, tmp_path):
    with pytest.raises(UsageError, match=r"has 2: square\.mp4, wide\.mov"):
        render(script(SQUARE, WIDE), output=tmp_path / "x.mp4")
    assert render(script(SQUARE), output=tmp_path / "x.mp4").output == tmp_path / "x.mp4"


def test_all_outputs_are_claimed_before_anything_slow(script, tmp_path):
    (tmp_path / "wide.mov").write_bytes(b"holiday")
    told = Recorder()
    with pytest.raises(OutputError, match="not made from this script"):
        render(script(SQUARE, VERTICAL, WIDE), progress=told)
    assert told.totals == {}
    assert files(tmp_path) == ["film.yaml", "line.wav", "wide.mov"]
    assert not (tmp_path / "out").exists()


def test_what_fails_leaves_the_others(script, tmp_path, monkeypatch):
    stitch = rendering.stitch

    def fail(pieces, sound, output, **given):
        if "vertical" in output.name:
            raise EnvironmentFailed("no space left")
        stitch(pieces, sound, output, **given)

    monkeypatch.setattr(rendering, "stitch", fail)
    told = Recorder()
    with pytest.raises(EnvironmentFailed, match="no space left"):
        render(script(SQUARE, VERTICAL, WIDE), progress=told)
    assert [Path(event["output"]).name for event in told.named("done")] == ["square.mp4", "wide.mov"]
    left = ["film.yaml", "line.wav", "square.mp4", "square.mp4.moee.json", "wide.mov", "wide.mov.moee.json"]
    assert files(tmp_path) == left
    assert [check_file(str(tmp_path / name)).problems for name in ("square.mp4", "wide.mov")] == [(), ()]
    assert not list((cache_folder() / "work").iterdir())


def test_an_interrupt_while_drawing_leaves_nothing(script, tmp_path, monkeypatch):
    class Stop(Recorder):
        def event(self, name, **fields):
            super().event(name, **fields)
            if len(self.named("piece")) == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(script(SQUARE, VERTICAL), progress=Stop())
    assert files(tmp_path) == ["film.yaml", "line.wav"]
    assert not list((cache_folder() / "work").iterdir())


def test_the_plan_counts_every_output(script):
    large = "{path: large.mp4, frame: {size: 960x540, fps: 50}}"
    small, fast = plan(script(SQUARE)), plan(script(large))
    planned = plan(script(SQUARE, VERTICAL, large))
    told = planned.as_dict()
    n_small, n_fast = small.timeline.n_frames, fast.timeline.n_frames
    assert [output["n_frames"] for output in told["outputs"]] == [n_small, n_small, n_fast]
    assert [output["frame"]["width"] for output in told["outputs"]] == [128, 96, 960]
    assert told["frame"] == small.as_dict()["frame"]
    assert planned.estimate_seconds > fast.estimate_seconds > small.estimate_seconds
    assert planned.estimate_memory_bytes > fast.estimate_memory_bytes
