"""The outputs of a script: its frame and encoding lie under what each says for itself, the command line over both."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from moee_cli.core.errors import ScriptError
from moee_cli.core.types import ALPHA_SUFFIXES
from moee_cli.script.layers import PresetReader, preset_layer, preset_names
from moee_cli.script.positions import KeyPath, Map, show, spell_path, value_at
from moee_cli.script.report import Report
from moee_cli.script.resolve import resolve_encoding, resolve_frame
from moee_cli.script.schema import EncodingEntry, FrameEntry, Output, OutputEntry, ScriptEntry
from moee_cli.script.validate import validate

SECTIONS = ("frame", "encoding")
"""What the presets of an output may set."""

Section = TypeVar("Section", FrameEntry, EncodingEntry)


@dataclass(frozen=True)
class PlacedOutput:
    """An output, and where it was written."""

    output: Output
    place: KeyPath
    """Of its entry in the list, or of `output`."""
    frame_places: Mapping[str, KeyPath]
    """Of the keys of `frame` that it has for itself."""

    def frame_place(self, key: str) -> KeyPath:
        """Return where a key of its frame was written."""
        return self.frame_places.get(key, ("frame", key))


@dataclass(frozen=True)
class OutputResolver:
    """Turns `output` into outputs, in order."""

    entry: ScriptEntry
    presets: tuple[Sequence[str], Sequence[str]]
    """Names: those under the script, and those of the command line."""
    read: PresetReader
    fixed: Collection[KeyPath]
    """Keys of `frame` and `encoding` that the command line sets, for every output."""
    report: Report

    def resolve(self, default: Path | None) -> list[PlacedOutput]:
        """Return all outputs; the one at `default` if the script names none."""
        written = self.entry.output
        if not isinstance(written, list):
            return [self._one(written, default)]
        if not written:
            self.report.error(("output",), "is empty", "name a file, or a list such as [{path: film.mp4}]")
        original = [self.report.original_index(("output",), index) for index in range(len(written))]
        return [self._listed(wish, ("output", index)) for wish, index in zip(written, original, strict=True)]

    def _one(self, path: Path | None, default: Path | None) -> PlacedOutput:
        frame, encoding = _over(FrameEntry, self.entry.frame), _over(EncodingEntry, self.entry.encoding)
        placed = self._placed(path or default, ("output",), frame, encoding)
        if path is None and default is not None and placed.output.frame.is_transparent:
            return replace(placed, output=replace(placed.output, path=default.with_suffix(ALPHA_SUFFIXES[0])))
        return placed

    def _listed(self, wish: OutputEntry, place: KeyPath) -> PlacedOutput:
        spot = (*place, "preset")
        names, layer = self._presets_of(place, spot)
        preset_frame = self._section(FrameEntry, layer.get("frame"), spot)
        preset_encoding = self._section(EncodingEntry, layer.get("encoding"), spot)
        fixed_frame, fixed_encoding = self._fixed("frame"), self._fixed("encoding")
        places: dict[str, KeyPath] = dict.fromkeys(_given(preset_frame), spot)
        places |= {key: (*place, "frame", key) for key in _given(wish.frame)}
        return self._placed(
            wish.path,
            place,
            _over(FrameEntry, self.entry.frame, preset_frame, wish.frame, fixed=fixed_frame),
            _over(EncodingEntry, self.entry.encoding, preset_encoding, fixed=fixed_encoding),
            names=names,
            frame_places={key: at for key, at in places.items() if key not in fixed_frame},
        )

    def _presets_of(self, place: KeyPath, spot: KeyPath) -> tuple[list[str], Map]:
        """Return the names of an output's own presets, and what they set."""
        raw = value_at(self.report.root, place)
        names = preset_names(raw if isinstance(raw, Map) else None)
        layer = None
        try:
            layer = preset_layer(names, self.read, spell_path(spot))
        except ScriptError as error:
            self.report.add(spot, error.problems)
        for key in layer or ():
            if key not in SECTIONS:
                told = f"sets `{key}`, which is one for all outputs"
                self.report.error(spot, told, "name this preset under the script's own `preset`")
        return [str(name) for name in names], layer or Map(self.report.root.mark)

    def _section(self, model: type[Section], written: Any, spot: KeyPath) -> Section | None:
        return None if written is None else validate(model, written, spot, self.report)

    def _fixed(self, section: str) -> set[str]:
        return {str(path[1]) for path in self.fixed if path[0] == section}

    def _placed(
        self,
        path: Path | None,
        place: KeyPath,
        frame: FrameEntry,
        encoding: EncodingEntry,
        *,
        names: Sequence[str] = (),
        frame_places: Mapping[str, KeyPath] | None = None,
    ) -> PlacedOutput:
        places = frame_places or {}
        under, over = self.presets
        output = Output(
            path=path,
            frame=resolve_frame(frame, lambda key: places.get(key, ("frame", key)), self.report),
            encoding=resolve_encoding(encoding),
            presets=tuple(dict.fromkeys([*under, *names, *over])),
        )
        return PlacedOutput(output, place, places)


def check_suffixes(outputs: Sequence[PlacedOutput], report: Report, *, is_elsewhere: bool) -> None:
    """Report outputs whose files cannot hold their background; one of a single output that `-o` replaces is let be."""
    for placed in outputs:
        is_single = placed.place == ("output",)
        path = placed.output.path
        if path is None or (is_single and is_elsewhere):
            continue
        if fault := placed.output.frame.why_not_in(path.suffix):
            report.error(placed.place if is_single else (*placed.place, "path"), *fault)


def check_paths(
    outputs: Sequence[PlacedOutput], inputs: Iterable[Path], report: Report, *, writes: bool = False
) -> None:
    """Report outputs of a list that would write over each other, or over a file that the script reads.

    With `writes`, the files of face motion beside them, which have the same name but for the ending, count as well.
    """
    if not outputs or outputs[0].place == ("output",):  # there is one, and `-o` may send it elsewhere
        return
    read = {os.path.realpath(file) for file in inputs}
    written: dict[str, KeyPath] = {}
    stems: dict[str, KeyPath] = {}
    for placed in outputs:
        file, spot = os.path.realpath(placed.output.path or ""), (*placed.place, "path")
        name = show(Path(file).name)
        if file in read:
            report.error(spot, f"{name} is an input of this script", "choose another name")
        elif (other := written.setdefault(file, placed.place)) != placed.place:
            report.error(
                spot, f"{name} is already written by {spell_path(other)}", "give each output a file of its own"
            )
        elif writes and (other := stems.setdefault(str(Path(file).with_suffix("")), placed.place)) != placed.place:
            told = f"the motion of {name} would be written over that of {spell_path(other)}"
            report.error(spot, told, "with `write`, give each output a name that differs in more than its ending")


def _given(entry: FrameEntry | EncodingEntry | None) -> dict[str, Any]:
    """Return the keys that were written, and their values."""
    return {} if entry is None else {name: getattr(entry, name) for name in entry.model_fields_set}


def _over(model: type[Section], *layers: Section | None, fixed: Collection[str] = ()) -> Section:
    """Return the layers in one, later ones winning, except for the keys `fixed` in the first."""
    first, *others = layers
    values = _given(first)
    for layer in others:
        values |= {name: value for name, value in _given(layer).items() if name not in fixed}
    return model.model_construct(_fields_set=set(values), **values)
