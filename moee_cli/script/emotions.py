"""Emotions as written become weights: names, mixes, short strings, keyframes, own names.

An intensity that comes with an own name is the name's usual strength: it stands in for `defaults.intensity`, and a
segment's or keyframe's own `intensity` replaces it. Inside a mix it scales that name's share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from moee_cli.core.labels import EMOTIONS, EmotionNameError, fold_name, mix_of_name, unknown_emotion, weight_vector
from moee_cli.core.types import EmotionKey
from moee_cli.script.positions import KeyPath, Map, shorten, show
from moee_cli.script.report import Report
from moee_cli.script.schema import AUTO, KeyframeEntry
from moee_cli.script.values import Time

NEUTRAL = weight_vector({"neutral": 1.0})
_SHARE = re.compile(r"(?P<name>[^=]+)=\s*(?P<weight>[0-9]{1,6}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s*")
_OWN_NAME = re.compile(r"[^\W\d_][\w\s-]*")
_INTENSITY = "intensity"
MAX_CHAIN = 32
"""Own names that refer to own names, one after the other."""


@dataclass(frozen=True)
class Mix:
    """Weights [7] before intensity, and the strength that an own name brings."""

    weights: tuple[float, ...]
    intensity: float | None = None


Written = str | Mapping[str, float]
"""A name or short string, or weights by name."""


class EmotionFault(Exception):
    """An emotion cannot be read; `entry` is the key inside a mix that is at fault."""

    def __init__(self, message: str, hint: str | None = None, entry: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.entry = entry


class EmotionBook:
    """The emotion names of a script: built-in ones and its own."""

    def __init__(self, own: Mapping[str, Written], report: Report) -> None:
        """Check every own name; faults go to `report` under `emotions`.

        A name whose mix could not be read at all was reported before; it counts as neutral, so that its uses are no
        faults of their own.
        """
        self._written: dict[str, tuple[str, Written]] = {}
        self._mixes: dict[str, Mix] = {}
        self._underway: list[str] = []
        self._report = report
        for name, written in own.items():
            self._declare(name, written)
        declared = report.root.get("emotions")
        for name in declared if isinstance(declared, Map) else ():
            if name not in own:
                self._written[fold_name(name)] = (name, "neutral")
        for fold in self._written:
            self._own(fold)

    def _declare(self, name: str, written: Written) -> None:
        path, fold = ("emotions", name), fold_name(name)
        reserved = (AUTO, _INTENSITY)
        if not _OWN_NAME.fullmatch(name):
            message, hint = "cannot be the name of an emotion", "a name has letters, digits, space, - and _"
            self._report.error(path, f"{show(name)} {message}", hint, of_key=True)
        elif fold in (*map(fold_name, EMOTIONS), *reserved):
            hint = "choose another name: the seven emotions, `auto` and `intensity` stay what they are"
            self._report.error(path, f"{show(name)} already has a meaning", hint, of_key=True)
        elif fold in self._written:
            other = self._written[fold][0]
            self._report.error(
                path, f'"{name}" and "{other}" are the same name', "case, space, - and _ do not count", of_key=True
            )
        else:
            self._written[fold] = (name, written)

    @property
    def own_names(self) -> tuple[str, ...]:
        """Names as the script writes them."""
        return tuple(name for name, _ in self._written.values())

    def mix(self, written: Written) -> Mix:
        """Return the weights of a name, a short string, or weights by name.

        Raises:
            EmotionFault: a name is unknown, or the shares cannot be.
        """
        if isinstance(written, str):
            if "=" not in written:
                return self._named(written)
            written = _read_shares(written)
        return self._mixed(written)

    def _named(self, name: str) -> Mix:
        fold = fold_name(name)
        if fold in self._written:
            return self._own(fold)
        mix = mix_of_name(name)
        if mix is None:
            error = unknown_emotion(shorten(name), self.own_names)
            hint = "write a mix as `anger=0.8, disgust=0.2`" if "," in name else error.hint
            raise EmotionFault(str(error), hint)
        return Mix(weight_vector(mix))

    def _own(self, fold: str) -> Mix:
        """Return the mix of an own name; a faulty one is reported where it is defined, once, and counts as neutral."""
        if fold in self._mixes:
            return self._mixes[fold]
        name, written = self._written[fold]
        if fold in self._underway:
            names = [self._written[one][0] for one in [*self._underway[self._underway.index(fold) :], fold]]
            raise EmotionFault(f'leads back to "{name}": {" → ".join(names)}', "break the circle")
        if len(self._underway) >= MAX_CHAIN:
            raise EmotionFault(f"refers to other names over more than {MAX_CHAIN} steps")
        self._underway.append(fold)
        try:
            self._mixes[fold] = self._define(written)
        except EmotionFault as fault:
            self._mixes[fold] = Mix(NEUTRAL)
            path = ("emotions", name, fault.entry) if fault.entry else ("emotions", name)
            self._report.error(path, fault.message, fault.hint, of_key=bool(fault.entry))
        finally:
            self._underway.pop()
        return self._mixes[fold]

    def _define(self, written: Written) -> Mix:
        if isinstance(written, str):
            return self.mix(written)
        shares = {key: value for key, value in written.items() if fold_name(key) != _INTENSITY}
        intensity = next((value for key, value in written.items() if fold_name(key) == _INTENSITY), None)
        return Mix(self._mixed(shares).weights, intensity)

    def _mixed(self, shares: Mapping[str, float]) -> Mix:
        if not shares:
            raise EmotionFault("names no emotion", "for example {anger: 0.6, fear: 0.2}")
        try:
            weight_vector(shares)  # the shares as written must fit, so that the hint shows them as written
        except EmotionNameError as error:
            raise EmotionFault(str(error), error.hint) from None
        self._refuse_repetition(shares)
        totals = dict.fromkeys(EMOTIONS, 0.0)
        for name, share in shares.items():
            if fold_name(name) == _INTENSITY:
                raise EmotionFault("intensity is not an emotion", "write `intensity` beside `emotion`", name)
            try:
                part = self._named(name)
            except EmotionFault as fault:
                raise EmotionFault(fault.message, fault.hint, name) from None
            strength = 1.0 if part.intensity is None else part.intensity
            for emotion, weight in zip(EMOTIONS[1:], part.weights[1:], strict=True):
                totals[emotion] += share * strength * weight
        return Mix(weight_vector({name: weight for name, weight in totals.items() if name != "neutral"}))

    def _refuse_repetition(self, shares: Mapping[str, float]) -> None:
        """Refuse two words for one emotion: whoever wrote them may have meant the sum, or either share."""
        seen: dict[object, str] = {}
        for name in shares:
            fold = fold_name(name)
            builtin = None if fold in self._written else mix_of_name(name)
            meaning = fold if builtin is None else tuple(builtin.items())
            if meaning in seen:
                other = seen[meaning]
                raise EmotionFault(f"{show(name)} is the same emotion as {show(other)}", "give it one share", name)
            seen[meaning] = name


def is_auto(written: object) -> bool:
    """Say whether an emotion as written is `auto`."""
    return isinstance(written, str) and fold_name(written) == AUTO


def _read_shares(text: str) -> dict[str, float]:
    """Read `anger=0.8, disgust=0.2`."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        found = _SHARE.fullmatch(part)
        if found is None:
            raise EmotionFault(f"{show(part.strip())} is not a share", "write `anger=0.8, disgust=0.2`")
        name = found["name"].strip()
        if name in shares:
            raise EmotionFault(f"{show(name)} is given twice")
        shares[name] = float(found["weight"])
    return shares


def resolve_keys(
    written: Written | list[KeyframeEntry],
    book: EmotionBook,
    *,
    given: float | None,
    usual: float,
    fps: Fraction,
    path: KeyPath,
    report: Report,
) -> tuple[EmotionKey, ...]:
    """Return the keyframes of a segment, sorted where their times can be compared; faults go to `report`.

    `given` is the segment's own intensity, `usual` the one of `defaults`.
    """
    if not isinstance(written, list):
        mix = _mix_or_report(written, book, path, report)
        return (EmotionKey(mix.weights, _strength(given, mix.intensity, usual)),)
    if not written:
        report.error(path, "has no keyframes", "for example [{at: 0s, emotion: neutral}, {at: 40%, emotion: anger}]")
    keys: list[EmotionKey] = []
    seen: set[tuple[type, Fraction | float]] = set()
    for place, entry in enumerate(written):
        index = report.original_index(path, place)
        mix = _mix_or_report(entry.emotion, book, (*path, index, "emotion"), report)
        at = entry.at.seconds(fps) if isinstance(entry.at, Time) else entry.at
        intensity = entry.intensity if entry.intensity is not None else _strength(given, mix.intensity, usual)
        if (type(at), at) in seen:
            report.error((*path, index, "at"), "is the same time as that of a keyframe before it")
        seen.add((type(at), at))
        keys.append(EmotionKey(mix.weights, intensity, at))
    if len({type(key.at) for key in keys}) == 1:
        keys.sort(key=lambda key: key.at)
    return tuple(keys) or (EmotionKey(NEUTRAL, usual),)


def _strength(given: float | None, of_name: float | None, usual: float) -> float:
    return given if given is not None else of_name if of_name is not None else usual


def _mix_or_report(written: Written, book: EmotionBook, path: KeyPath, report: Report) -> Mix:
    if is_auto(written):
        report.error(path, "`auto` cannot stand here", "write `emotion: auto` for a whole segment")
        return Mix(NEUTRAL)
    try:
        return book.mix(written)
    except EmotionFault as fault:
        spot = path if fault.entry is None else (*path, fault.entry)
        report.error(spot, fault.message, fault.hint, of_key=fault.entry is not None)
        return Mix(NEUTRAL)
