"""File to `Script`: read, put layers together, replace variables, check, resolve; all problems at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from moee_cli import __version__
from moee_cli.core.errors import Problem, ScriptError
from moee_cli.core.suggest import did_you_mean
from moee_cli.core.types import FrameFormat
from moee_cli.script import layers
from moee_cli.script.content_hash import content_hash
from moee_cli.script.deferred import find_deferred
from moee_cli.script.files import Files, PictureFault
from moee_cli.script.outputs import SECTIONS, OutputResolver, check_paths, check_suffixes
from moee_cli.script.positions import (
    KeyPath,
    Map,
    Mark,
    Seq,
    Source,
    Text,
    Value,
    from_plain,
    option_mark,
    show,
    to_plain,
)
from moee_cli.script.read_yaml import read_file, read_text
from moee_cli.script.report import Report
from moee_cli.script.resolve import (
    LineResolver,
    check_background,
    check_portraits,
    default_id,
    resolve_cast,
)
from moee_cli.script.schema import (
    DEFAULT_ENGINE,
    DEFAULT_PRESET,
    FORMAT_VERSION,
    Line,
    Output,
    Script,
    ScriptEntry,
    SegmentEntry,
    input_files,
)
from moee_cli.script.validate import validate
from moee_cli.script.variables import LaterVariable, UnknownVariable, Variables, substitute

Engines = Collection[str] | Mapping[str, type[BaseModel]]
"""Known engine names; with their option models, relative paths in options are resolved too."""


@dataclass(frozen=True)
class Checks:
    """What only those around the script know, so that their faults come together with its own."""

    line: Callable[[Line, Fraction], Sequence[Problem]] = lambda _line, _fps: ()
    """Faults of the recording of a line that is sound in itself, at a frame rate. Asked only where the script has
    other faults: a timeline finds these by itself."""
    options: Callable[[str, Mapping[str, Any], Mapping[str, str]], Sequence[Problem]] = lambda _name, _given, _where: ()
    """Faults in the options of the engine that is used, by what is given and where it stands."""
    picture: PictureFault = lambda _path: None
    """Why a picture that is there cannot be a portrait or a background."""
    later_engines: Collection[str] = ()
    """Those of the known engines that are not in this release."""
    is_elsewhere: bool = False
    """A file of the command line takes the place of the script's output, if it has but one."""


def load_script(
    source: Path | str,
    *,
    base: Path,
    presets: layers.PresetReader,
    name: str | None = None,
    sets: Sequence[str] = (),
    user_config: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    engines: Engines = (),
    checks: Checks | None = None,
) -> Script:
    """Return the checked script in a file (`source` is a Path) or in a text (`source` is a str).

    `name` is how messages call it; `base` is the folder that paths of the command line, and of a script given as text,
    start from. `sets` are `key=value` texts. `overrides` may hold engine, seed, output and preset from the command
    line; None in it means "not given". Presets of the command line come after those of the script and win over it.

    Raises:
        ScriptError: the script cannot be used; `problems` holds everything found.
    """
    given = {key: value for key, value in (overrides or {}).items() if value not in (None, (), [])}
    if isinstance(source, Path):
        path, stem, label = source, source.stem, name or str(source)
        script = read_file(source, label)
    else:
        path, label = None, name or "<stdin>"
        stem = Path(label.strip("<>")).stem or "script"
        script = read_text(source, Source(label, base, is_file=False))
    loading = _Loading(script, _Origin(label, path, stem, base), presets, engines, checks or Checks())
    loading.put_layers_together(sets, user_config, given)
    loading.replace_variables()
    return loading.resolve(given)


@dataclass(frozen=True)
class _Origin:
    """Where a script comes from."""

    label: str
    path: Path | None
    stem: str
    base: Path


class _Loading:
    """The steps of one load; `early` holds problems that have no place in the merged script."""

    def __init__(
        self, script: Map, origin: _Origin, presets: layers.PresetReader, engines: Engines, checks: Checks
    ) -> None:
        self.origin, self.presets, self.engines, self.checks = origin, presets, engines, checks
        _check_version(script)
        self.root = layers.with_extends(script, origin.label, origin.path, origin.stem, _check_version)
        self.early: list[Problem] = []
        self.report = Report(self.root)
        self.preset_names: tuple[list[str], list[str]] = ([], [])
        self.fixed: set[KeyPath] = set()
        self.segment_sets: list[tuple[str, Value]] = []

    def _keep(self, error: ScriptError) -> None:
        self.early += error.problems

    # --- layers

    def put_layers_together(self, sets: Sequence[str], user_config: Path | None, given: Mapping[str, Any]) -> None:
        """Merge user config, presets, script and command line."""
        config = None
        try:
            config = layers.config_layer(user_config)
        except ScriptError as error:
            self._keep(error)
        assignments, problems = layers.parse_sets(sets, self.origin.base)
        self.early += problems
        base = self.origin.base
        typed = [Text(name, option_mark("--preset", name, base)) for name in _names(given.get("preset", ()))]
        typed += [name for key, value in assignments if key == "preset" for name in _texts(value)]
        wished = layers.preset_names(self.root) or layers.preset_names(config) or [Text(DEFAULT_PRESET, self.root.mark)]
        self.preset_names = [str(name) for name in wished], [str(name) for name in typed]
        under, over = self._preset_layer(wished), self._preset_layer(typed)
        self.fixed = layers.keys_set(over, assignments, SECTIONS)
        self.root = self.report.root = layers.cleaned(layers.stack([config, under, self.root, over], self.root.mark))
        self._assign([(key, value) for key, value in assignments if key != "preset"])

    def _preset_layer(self, names: Sequence[Text]) -> Map | None:
        try:
            return layers.preset_layer(names, self.presets)
        except ScriptError as error:
            self._keep(error)
            return None

    def _assign(self, assignments: Sequence[tuple[str, Value]]) -> None:
        for key, value in assignments:
            if key.startswith(("segments.", "segments[")):
                self.segment_sets.append((key, value))
                continue
            try:
                layers.assign(self.root, key.split("."), value, key)
            except ScriptError as error:
                self._keep(error)

    # --- variables

    def replace_variables(self) -> None:
        """Replace `${...}` everywhere; then apply `--set segments.ID.…`, which needs the ids."""
        given = self.root.get("vars")
        matrix = self.root.get("matrix")
        columns = None if "rows" in self.root else matrix if isinstance(matrix, Map) else ()
        variables = Variables(given if isinstance(given, Map) else {}, self.origin.stem, columns)
        replaced = Map(self.root.mark)
        for key, value in self.root.items():
            new = value if key in ("vars", "segments") else substitute(value, (key,), variables, self.report)
            replaced.put(key, new, self.root.key_marks[key])
        segments = self.root.get("segments")
        if isinstance(segments, Seq):
            replaced["segments"] = self._segments(segments, variables)
        if isinstance(given, Map):
            for name in given:
                substitute(given[name], ("vars", name), variables, self.report)
        self.root = self.report.root = replaced

    def _segments(self, segments: Seq, variables: Variables) -> Seq:
        names = [_raw_id(segment, variables) for segment in segments]
        changed = Seq(segments.mark)
        changed.extend(segments)
        for key, value in self.segment_sets:
            try:
                index, rest = _find_segment(key, names, value.mark)
                holder = Map(segments.mark)
                holder.put("segment", changed[index], value.mark)
                layers.assign(holder, ["segment", *rest], value, key)
                changed[index] = holder["segment"]
                names[index] = _raw_id(changed[index], variables)
            except ScriptError as error:
                self._keep(error)
        result = Seq(segments.mark)
        for index, segment in enumerate(changed):
            own = variables.with_id(names[index])
            result.append(substitute(segment, ("segments", index), own, self.report))
        return result

    # --- checks

    def resolve(self, given: Mapping[str, Any]) -> Script:
        """Check everything and build the script."""
        report = self.report
        self._apply_overrides(given)
        entry, segments = self._validated()
        file = self.origin.path
        fps = (entry.frame and entry.frame.fps) or FrameFormat().fps
        outputs = OutputResolver(entry, self.preset_names, self.presets, self.fixed, report).resolve(
            file and file.with_suffix(".mp4")
        )
        cast = resolve_cast(entry, report)
        resolver = LineResolver(entry, cast, fps, report)
        lines = resolver.resolve(segments)
        files = Files(self.checks.picture)
        check_portraits(cast, lines, files, report)
        for placed in outputs:
            check_background(placed.output.frame.background, placed.frame_place("background"), files, report)
        check_suffixes(outputs, report, is_elsewhere=self.checks.is_elsewhere)
        frames = [placed.output.frame for placed in outputs]
        check_paths(outputs, input_files(file, cast, lines, frames), report, writes=bool(entry.write))
        engine = entry.engine or DEFAULT_ENGINE
        if self.engines and engine not in self.engines:
            hint = f"{did_you_mean(engine, self.engines)}`moee engines` lists those installed"
            report.error(("engine",), f"no engine is called {show(engine)}", hint)
        options, option_places = self._engine_options(entry)
        option_faults = self.checks.options(engine, options.get(engine, {}), option_places)
        if self.early or report.n_errors or option_faults:
            for path, line in resolver.sound:
                report.add(path, self.checks.line(line, fps))
            raise ScriptError([*self.early, *report.errors(), *option_faults])
        deferred = find_deferred(
            entry,
            report,
            from_words=resolver.from_words,
            later_engines=self.checks.later_engines,
        )
        home = file.parent if file is not None else self.origin.base
        seed = entry.seed or 0
        decisive = {"engine": engine, "options": options.get(engine, {}), "seed": seed, "cast": cast, "lines": lines}
        return Script(
            path=file,
            stem=self.origin.stem,
            outputs=tuple(_with_hash(placed.output, home, decisive) for placed in outputs),
            engine=engine,
            engine_options=options,
            engine_where=option_places,
            seed=seed,
            cast=cast,
            lines=lines,
            write=tuple(dict.fromkeys(entry.write or ())),
            deferred=deferred,
            warnings=tuple(dict.fromkeys(report.warnings)),
        )

    def _apply_overrides(self, given: Mapping[str, Any]) -> None:
        for key in ("engine", "seed", "output"):
            if key in given:
                mark = option_mark(f"--{key}", given[key], self.origin.base)
                self.root.put(key, from_plain(given[key], mark), mark)

    def _validated(self) -> tuple[ScriptEntry, list[SegmentEntry | None]]:
        """Check the sections, then each segment for itself; what is faulty is reported and left out."""
        mark = self.root.mark
        stand_ins: dict[str, Value] = {"moee": Text(str(FORMAT_VERSION), mark), "segments": Seq(mark)}
        top = layers.shallow(self.root)
        segments = top.get("segments")
        if isinstance(segments, Seq):
            top["segments"] = stand_ins["segments"]
        entry = validate(ScriptEntry, top, (), self.report, stand_ins=stand_ins)
        assert entry is not None, "every key of a script can be left out or has a stand-in"
        items = segments if isinstance(segments, Seq) else []
        return entry, [
            validate(SegmentEntry, item, ("segments", index), self.report) for index, item in enumerate(items)
        ]

    def _engine_options(self, entry: ScriptEntry) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        """Return the options of every engine as text, and where each stands."""
        options: dict[str, dict[str, Any]] = {}
        places: dict[str, str] = {}
        for engine, values in (entry.engines or {}).items():
            if self.engines and engine not in self.engines and (hint := did_you_mean(engine, self.engines)):
                self.report.warn(("engines", engine), f"no engine is called {show(engine)}", hint.strip(), of_key=True)
            places[engine] = self.report.where(("engines", engine), of_key=True)
            model = self.engines.get(engine) if isinstance(self.engines, Mapping) else None
            paths = _path_options(model)
            options[engine] = {}
            for key, value in values.items():
                is_path = key in paths and isinstance(value, Text) and value
                options[engine][key] = str(value.mark.source.base / value) if is_path else to_plain(value)
                places[f"{engine}.{key}"] = self.report.where(("engines", engine, key))
        return options, places


def _with_hash(output: Output, home: Path, decisive: Mapping[str, Any]) -> Output:
    source_hash = content_hash(home, frame=output.frame, encoding=output.encoding, **decisive)
    return replace(output, source_hash=source_hash)


def _names(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


def _texts(value: Value) -> list[Text]:
    return [value] if isinstance(value, Text) else [item for item in value if isinstance(item, Text)]


def _check_version(script: Map) -> None:
    """Refuse a format that a newer release made, before its unknown keys are called errors.

    Raises:
        ScriptError: the script needs a newer moee.
    """
    wish = script.get("moee")
    if isinstance(wish, Text) and wish.isascii() and wish.isdigit() and int(wish[:9]) > FORMAT_VERSION:
        message = f"script format {wish} needs moee >= {wish}; this is moee {__version__}, which reads {FORMAT_VERSION}"
        raise ScriptError([Problem(message, str(wish.mark), "moee", "pip install --upgrade moee-cli")])
    if isinstance(wish, Text) and wish.isascii() and wish.isdigit() and int(wish[:9]) == 0:
        raise ScriptError([Problem("there is no script format 0", str(wish.mark), "moee", "write `moee: 1`")])


def _raw_id(segment: Value, variables: Variables) -> str | None:
    """Return the id of a segment before it is checked; None for a pause, or where it cannot be told."""
    if not isinstance(segment, Map):
        return None
    wish = segment.get("id", segment.get("audio"))
    if not isinstance(wish, Text) or not wish:
        return None
    try:
        text = variables.replace(wish)
    except (UnknownVariable, LaterVariable):
        return None
    return text if "id" in segment else default_id(text)


def _find_segment(key: str, names: Sequence[str | None], mark: Mark) -> tuple[int, list[str]]:
    """Return the index of the segment in `segments.ID.key` or `segments[2].key`, and the keys after it.

    Raises:
        ScriptError: no segment has the id.
    """
    by_number = re.fullmatch(r"segments\[([0-9]{1,6})\](?:\.(.*))?", key)
    if by_number and int(by_number[1]) < len(names):
        return int(by_number[1]), [part for part in (by_number[2] or "").split(".") if part]
    rest = key[len("segments.") :]
    # An id may hold dots.
    fitting = [name for name in names if name and (rest == name or rest.startswith(f"{name}."))]
    if by_number or not fitting:
        wish = key if by_number else rest.partition(".")[0]
        known = [name for name in names if name]
        names_shown = f"{', '.join(known[:12])}{' …' if len(known) > 12 else ''}"
        hint = f"{did_you_mean(wish, known)}segments go by id: {names_shown}" if known else "no segment has an id"
        raise ScriptError([Problem(f"no segment is called {show(wish)}", str(mark), key, hint)])
    name = max(fitting, key=len)
    return names.index(name), [part for part in rest[len(name) + 1 :].split(".") if part]


def _path_options(model: type[BaseModel] | None) -> set[str]:
    """Return the options of an engine that are paths."""
    fields = {} if model is None else model.model_fields
    return {field.alias or name for name, field in fields.items() if "Path" in str(field.annotation)}
