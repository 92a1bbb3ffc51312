"""What motion is worth on its own coefficients: lips against phones, rest, life, emotions; by source of speech.

    python benchmarks/motion.py CORPUS              # the teacher on voices held out
    python benchmarks/motion.py CORPUS --learnt     # and on those that a network learns from
    python benchmarks/motion.py CORPUS --portraits examples/*.png   # and read back from pictures
    python benchmarks/motion.py --recorded FOLDER [--weights FILE]  # the engine on recorded voices held out

CORPUS is a folder made by `moee train data`, FOLDER the recordings it takes (`--speech`). There the engine hears each
recording by itself, clean, with a second of silence around it, and is told what the actor acted. Pictures are read by
the face mesh that also found the landmarks of the portrait.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from moee_cli.core.labels import EMOTIONS
from moee_cli.core.timebase import FEATURE_HOP
from moee_cli.training.motion.clip import Clip, read_corpus
from moee_cli.training.motion.expressions import EmotionReader
from moee_cli.training.motion.measures import (
    Performance,
    lip_figures,
    lip_figures_of,
    liveliness,
    share_at_rest,
    silent_frames,
)
from moee_cli.training.motion.phones import Phone

WINDOW = 100
"""Motion frames in which an emotion is told (4 s)."""
LIPS = f"{'clips':>6}{'p b m':>7}{'AUC':>8}{'closed':>8}{'contrast':>10}{'lag':>5}{'+0.4 s':>8}"
PAUSE_S = 1.0
"""Seconds of silence before and after a recording."""
STRENGTHS = {"1.0": (0.9, 1.0), "0.5": (0.4, 0.6)}
"""Intensities that are told apart, and the range of weights that counts as such."""


def performances(clips: Sequence[Clip]) -> list[Performance]:
    return [Performance(clip.motion, clip.phones, clip.emotion) for clip in clips]


def figures(name: str, given: Sequence[Performance]) -> str:
    """Return one row of the table for some performances."""
    lips = lip_figures(given)
    late, early = (lip_figures(given, shift_s=shift) for shift in (0.4, -0.4))
    alive = [liveliness(one.motion) for one in given]
    quiet = [silent_frames(one.phones, len(one.motion))[1:] for one in given]
    silent = np.concatenate([way[still] for way, still in zip(alive, quiet, strict=True)])
    spoken = np.concatenate([way[~still] for way, still in zip(alive, quiet, strict=True)])
    return (
        f"{name:16}{len(given):6}{lips.n_closures:7}{lips.auc:8.3f}{lips.closed:8.3f}{lips.contrast:10.3f}{lips.lag:5}"
        f"{late.auc:8.3f}{early.auc:8.3f}{late.contrast:10.3f}{share_at_rest(given):8.3f}"
        f"{silent.mean() if len(silent) else np.nan:8.2f}{spoken.mean() if len(spoken) else np.nan:8.2f}"
    )


def sampled(folder: Path, weights: Path | None, source: str, most: int) -> list[Performance]:
    """Return what the `motion` engine samples for the recordings held out; without weights the signal-driven source.

    Of more than `most` recordings every so many-th is taken.
    """
    from moee_cli.audio.features import extract_features
    from moee_cli.core.noise import NoiseSource
    from moee_cli.core.types import Drive, NoiseSpan
    from moee_cli.engines.motion.engine import MotionEngine
    from moee_cli.engines.registry import check_options, engine_spec
    from moee_cli.engines.runtime import choose_runtime
    from moee_cli.training.motion.recorded import read_lines
    from moee_cli.training.motion.recording import joined
    from moee_cli.training.motion.shelf import Shelf, find_sources

    spec, shelf = engine_spec("motion"), Shelf(find_sources(folder))
    options = check_options(spec, {} if weights is None else {"weights": str(weights)})
    engine = MotionEngine(options, choose_runtime("cpu", spec.requirements.devices))
    found = []
    lines = [line for line in read_lines(folder) if line.is_held_out and line.source == source]
    for line in lines[:: -(-len(lines) // most)]:
        recording = shelf.recording(line)
        if recording is None:
            continue
        recording = joined([recording], [PAUSE_S, PAUSE_S])
        n_frames = -(-len(recording.samples) // FEATURE_HOP)
        emotion = np.zeros((n_frames, len(EMOTIONS)), np.float32)
        emotion[:, EMOTIONS.index(line.emotion or "neutral")] = 1.0
        ones = np.ones(n_frames, np.float32)
        heard = extract_features([recording.samples], n_frames)
        span = (NoiseSpan(line.path.stem, 1, 0, n_frames),)
        drive = Drive(heard, emotion, ones, ones, 0 * ones, 15 * ones, span, 0, n_frames, 0)
        # The portrait does not decide the motion of this engine.
        motion = engine.sample(None, drive, noise=NoiseSource(0))  # type: ignore[arg-type]
        found.append(Performance(motion, recording.phones, emotion))
    engine.close()
    return found


def read_back(portrait: Path, clips: Sequence[Clip]) -> tuple[str, float]:
    """Return the lip figures of drawn clips, and the median of the landmarks' own motion from frame to frame.

    The latter is in thousandths of the outer eye distance: place, size and roll of the face are taken out.
    """
    from moee_cli.core.types import FrameFormat
    from moee_cli.face.landmarks import track
    from moee_cli.face.portrait import load_portrait
    from moee_cli.face.renderer import FaceRenderer

    renderer = FaceRenderer(load_portrait(portrait, FrameFormat()))
    curves, ways = [], []
    for clip in clips:
        found = list(track(renderer.draw(row) for row in clip.motion))
        if any(points is None for points in found):
            raise SystemExit(f"{portrait.name}: a frame without a face")
        faces = np.stack([upright(points) for points in found])
        curves.append((np.maximum(faces[:, 13, 1] - faces[:, 14, 1], 0.0).astype(np.float32), clip.phones))
        ways.append(1000.0 * np.linalg.norm(np.diff(faces, axis=0), axis=2).mean(1))
    lips, late = lip_figures_of(curves), lip_figures_of([(curve, moved(phones, 0.4)) for curve, phones in curves])
    row = f"{lips.n_closures:7}{lips.auc:8.3f}{lips.closed:8.3f}{lips.contrast:10.3f}{lips.lag:5}{late.auc:8.3f}"
    return f"{portrait.name:16}{len(clips):6}{row}", float(np.median(np.concatenate(ways)))


def upright(points: np.ndarray) -> np.ndarray:
    """Return landmarks [468, 2] with the outer eye corners at -0.5 and 0.5, y up."""
    right, left = points[33, :2].astype(np.float64), points[263, :2].astype(np.float64)
    size = float(np.linalg.norm(left - right))
    axis = (left - right) / size
    turn = np.array([axis, [axis[1], -axis[0]]])
    return (points[:468, :2] - (left + right) / 2) @ turn.T / size


def moved(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    return [phone.moved(seconds) for phone in phones]


def shown(clips: Sequence[Clip], low: float, high: float) -> Iterator[tuple[np.ndarray, str]]:
    """Yield stretches of motion in which one emotion is told steadily, and its name; neutral among them."""
    for clip in clips:
        for start in range(0, len(clip) - WINDOW, WINDOW):
            weights = clip.emotion[start : start + WINDOW]
            strongest = int(weights[0, 1:].argmax()) + 1
            steady = np.abs(weights - weights[0]).max() < 0.02 and weights[0, [0, strongest]].sum() > 0.99
            if steady and (weights[0, 0] > 0.99 or low <= weights[0, strongest] <= high):
                name = "neutral" if weights[0, 0] > 0.99 else EMOTIONS[strongest]
                yield clip.motion[start : start + WINDOW], name


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?")
    parser.add_argument("--recorded", type=Path, metavar="FOLDER")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="network of the engine, with --recorded")
    parser.add_argument("--learnt", action="store_true", help="also the voices that are not held out")
    parser.add_argument("--most", type=int, default=1000, metavar="N", help="recordings of a source, with --recorded")
    parser.add_argument("--portraits", nargs="*", type=Path, default=[])
    parser.add_argument("--drawn", type=int, default=4, help="clips that are drawn for each portrait")
    options = parser.parse_args()
    print(f"{'voices':16}{LIPS}{'-0.4 s':>8}{'contrast':>10}{'rest':>8}{'silent':>8}{'spoken':>8}")
    for source in ("emodb", "speechocean762") if options.recorded else ():
        print(figures(source, sampled(options.recorded, options.weights, source, options.most)), flush=True)
    if options.corpus is not None:
        about_corpus(options.corpus, options.portraits, options.drawn, learnt_too=options.learnt)


def about_corpus(corpus: Path, portraits: Sequence[Path], n_drawn: int, *, learnt_too: bool) -> None:
    learnt, valid = (list(read_corpus(corpus, held_out=held_out)) for held_out in (False, True))
    for told, clips in (("held out", valid), ("learnt", learnt))[: 1 + learnt_too]:
        for source in sorted({clip.voice.split()[0] for clip in clips} - {"nobody"}):
            own = [clip for clip in clips if clip.voice.startswith(source)]
            print(figures(source, performances(own)), flush=True)
        print(figures(f"all {told}", performances(clips)), flush=True)
    reader = EmotionReader.fitted(*zip(*shown(learnt, 0.3, 1.0), strict=True))
    for strength, (low, high) in STRENGTHS.items():
        motions, names = zip(*shown(valid, low, high), strict=True)
        print(f"emotion told at {strength}: {reader.accuracy(motions, names):.3f} of {len(names)} stretches of 4 s")
    if portraits:
        print(f"{'portrait':16}{LIPS}{'motion':>8}")
    real = [clip for clip in valid if clip.voice.startswith(("emodb", "speechocean"))]
    for portrait in portraits:
        row, way = read_back(portrait, real[:n_drawn])
        print(f"{row}{way:8.2f}", flush=True)


if __name__ == "__main__":
    main()
