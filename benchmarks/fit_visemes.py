"""Fit `moee_cli/audio/visemes.tsv`: the linear map from audio measures to mouth shapes.

    python benchmarks/fit_visemes.py --emodb FOLDER

Multinomial logistic regression with L2 penalty, full-batch Adam, on hops of 10 ms of flite speech and EmoDB recordings
whose phone times are known, each also in a degraded copy (noise, telephone band). Prints held-out accuracy. Same data,
same table: everything random comes from fixed seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from lips import Recording, emodb_recordings, flite_recording
from numpy.typing import NDArray

from moee_cli.audio import visemes
from moee_cli.audio.features import HOP, HOPS, MEASURE, MEASURES, N_BANDS, extract_features
from moee_cli.audio.visemes import INPUTS, MOUTH_SHAPES, SHAPE, table_inputs
from moee_cli.core.timebase import FEATURE_HOP, FEATURE_RATE
from moee_cli.core.types import F32

F64 = NDArray[np.float64]

TABLE = Path(visemes.__file__).with_name("visemes.tsv")
FLITE_FIT, FLITE_HELD_OUT = ("rms", "kal16"), ("slt", "awb")
EMODB_FIT, EMODB_HELD_OUT = ("03", "08", "09", "10", "11", "12"), ("13", "14")
EDGE = 0.010
"""Seconds at either end of a phone that are not used: the lips are on their way."""

SENTENCES = (
    "The boy was there when the sun rose.",
    "A rod is used to catch pink salmon.",
    "Most people buy bread and jam before the shops are shut.",
    "Five wives weave fine fabric over the river.",
    "She sees six ships passing the shore each summer.",
    "We were away a whole week in the warm south.",
    "You should choose a few blue shoes for the school.",
    "Thick fog hid the path that leads to the harbor.",
    "Bring the empty bottle back to my lamp.",
    "Ask him about the price of a pound of plums.",
    "Go home slowly, the road is covered with snow.",
    "He judged the large village by its bridge.",
    "Robert promised a reward for the rare purple bird.",
    "I hope Emma may help me open the big map.",
    "The cat sat back and had a nap on the black mat.",
    "Father got a lot of hot coffee from the shop.",
    "Keep these green leaves near the deep stream.",
    "Would you put a good book on the wooden hook?",
    "Now count out loud around the old brown house.",
    "My kite might fly high in the bright light.",
    "Join the noisy boys and enjoy the toy.",
    "Ten men sent letters to every member yesterday.",
    "Nothing moves until the moon comes up.",
    "They take eight days to make the great lake safe.",
    "Her first word was heard by every nurse on the third floor.",
    "Just a cup of something lovely for my mother.",
    "Pack my box with five dozen jugs of liquid veal.",
    "Both of them mumbled about a problem with the pump.",
    "Yes, zoo visitors use these as well.",
    "Long ago a young king sang along the strong wall.",
)

PHONES = {
    "rest": "pau .",
    "closed": "p b m _p _b",
    "bite": "f v",
    "teeth": "s z sh zh ch jh S",
    "narrow": "t d n k g ng l r th dh N x X L R _d _t _k _g NN D C",
    "mid": "ax er hh h @ V @6",
    "open": "aa ae ah ao eh a aI aU A a6 E E6",
    "spread": "iy ih ey y i I e j i6 I6",
    "round": "uw uh ow oy w o O u U y_ Y OY OU",
}
"""Phones of flite (ARPAbet, lower case) and EmoDB (SAMPA-like) by the mouth shape they are spoken with."""
GLIDES = {"ay": ("open", "spread"), "aw": ("open", "round"), "aI": ("open", "spread"), "aU": ("open", "round")}
"""Diphthongs: the shape of their first 60 % and of the rest."""
SHAPE_OF = {phone: shape for shape, phones in PHONES.items() for phone in phones.split()}


def hop_labels(recording: Recording, n_hops: int) -> NDArray[np.int64]:
    """Return the mouth shape of each hop, -1 where it is unknown."""
    labels = np.full(n_hops, -1)
    times = (np.arange(n_hops) * HOP - (HOPS - 1) * HOP / 2) / FEATURE_RATE
    german = recording.name.startswith("emodb")
    for phone in recording.phones:
        first, second = GLIDES.get(phone.name, (None, None))
        name = "y_" if german and phone.name == "y" else phone.name
        first = first or SHAPE_OF.get(name)
        if first is None:
            continue
        inside = (times >= phone.start + EDGE) & (times <= phone.stop - EDGE)
        labels[inside] = SHAPE[first]
        if second:
            labels[inside & (times > 0.4 * phone.start + 0.6 * phone.stop)] = SHAPE[second]
    return labels


def degraded(samples: F32, rng: np.random.Generator) -> F32:
    """Return the recording over a bad line: steady noise at 15..35 dB, and half of the time no more than 3.6 kHz."""
    noise = rng.standard_normal(len(samples))
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2)) * 10 ** (-rng.uniform(15, 35) / 20)
    spectrum = np.fft.rfft(samples + level * noise)
    if rng.random() < 0.5:
        spectrum[int(3600 / FEATURE_RATE * len(samples)) :] = 0.0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def hops_of(samples: F32) -> F64:
    n_motion = -(-len(samples) // FEATURE_HOP)
    return extract_features([samples], n_motion).spectrum.reshape(-1, len(MEASURES)).astype(np.float64)


def examples(recordings: Sequence[Recording], *, degrade: bool) -> tuple[F64, NDArray[np.int64]]:
    """Return inputs [n, INPUTS] and shapes [n] of all hops with a known shape during which somebody speaks."""
    rng = np.random.default_rng(1)
    inputs, labels = [], []
    for recording in recordings:
        for samples in (recording.samples, degraded(recording.samples, rng))[: 1 + degrade]:
            hops = hops_of(samples)
            label = hop_labels(recording, len(hops))
            used = (label >= 0) & (hops[:, MEASURE["activity"]] > 0.2)
            inputs.append(table_inputs(hops)[used])
            labels.append(label[used])
    return np.concatenate(inputs), np.concatenate(labels)


def fit(inputs: F64, labels: NDArray[np.int64], *, steps: int = 800, penalty: float = 1e-4) -> F64:
    """Return coefficients [INPUTS, MOUTH_SHAPES] of the softmax; classes weigh one over the root of their share."""
    mean, scale = inputs[:, :-1].mean(0), inputs[:, :-1].std(0)
    x = np.column_stack([(inputs[:, :-1] - mean) / scale, inputs[:, -1]])
    target = np.eye(len(MOUTH_SHAPES))[labels]
    share = target.mean(0)
    weight = (target @ (1.0 / np.sqrt(np.maximum(share, 1e-3))))[:, None]
    weight /= weight.mean()
    table = np.zeros((x.shape[1], len(MOUTH_SHAPES)))
    momentum, energy = np.zeros_like(table), np.zeros_like(table)
    for step in range(1, steps + 1):
        logits = x @ table
        odds = np.exp(logits - logits.max(1, keepdims=True))
        error = weight * (odds / odds.sum(1, keepdims=True) - target)
        gradient = x.T @ error / len(x) + penalty * table
        momentum += 0.1 * (gradient - momentum)
        energy += 0.001 * (gradient**2 - energy)
        rate = 0.03 * (1.0 - step / (steps + 1))
        table -= rate * (momentum / (1 - 0.9**step)) / (np.sqrt(energy / (1 - 0.999**step)) + 1e-8)
    raw = table[:-1] / scale[:, None]
    return np.vstack([raw, table[-1] - mean @ raw])


def confusion(table: F64, inputs: F64, labels: NDArray[np.int64]) -> None:
    guess = (inputs @ table).argmax(1)
    print(f"  accuracy {np.mean(guess == labels):.3f} over {len(labels)} hops; share of each true shape heard as")
    print("  " + " " * 8 + "".join(f"{name:>8}" for name in MOUTH_SHAPES))
    for index, name in enumerate(MOUTH_SHAPES):
        if np.any(labels == index):
            row = np.bincount(guess[labels == index], minlength=len(MOUTH_SHAPES)) / np.count_nonzero(labels == index)
            print(f"  {name:8}" + "".join(f"{value:8.2f}" for value in row))


def write(table: F64) -> None:
    lines = ["# Made by benchmarks/fit_visemes.py; see docs/decisions/0006. Rows: inputs, columns: mouth shapes."]
    lines.append("\t".join(("input", *MOUTH_SHAPES)))
    lines += ["\t".join((name, *(f"{value:.4f}" for value in row))) for name, row in zip(INPUTS, table, strict=True)]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emodb", type=Path, required=True, help="folder with emodb_phones.tsv.gz and flac/")
    options = parser.parse_args()
    flite = {
        voice: [flite_recording(sentence, voice) for sentence in SENTENCES] for voice in FLITE_FIT + FLITE_HELD_OUT
    }
    held_in = list(chain(*(flite[voice] for voice in FLITE_FIT), emodb_recordings(options.emodb, EMODB_FIT)))
    spoken = np.concatenate([hops_of(recording.samples) for recording in held_in])
    spoken = spoken[spoken[:, MEASURE["activity"]] > 0.5, :N_BANDS]
    print("mean band levels (features._AVERAGE_BANDS_DB):", ", ".join(f"{value:.1f}" for value in spoken.mean(0)))
    inputs, labels = examples(held_in, degrade=True)
    table = fit(inputs, labels)
    write(table)
    print("fitted voices")
    confusion(table, inputs, labels)
    print("held out: flite", *FLITE_HELD_OUT)
    confusion(table, *examples(list(chain(*(flite[voice] for voice in FLITE_HELD_OUT))), degrade=False))
    print("held out: EmoDB", *EMODB_HELD_OUT)
    confusion(table, *examples(emodb_recordings(options.emodb, EMODB_HELD_OUT), degrade=False))


if __name__ == "__main__":
    main()
