"""Checks values against the schema; every fault becomes a problem with its place, and what is sound is kept.

A value that cannot be read is taken out and the rest is checked again, so that later checks still see the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from moee_cli.core.suggest import did_you_mean
from moee_cli.script.positions import KeyPath, Map, Seq, Text, Value, shorten, show, value_at
from moee_cli.script.report import Report
from moee_cli.script.values import Unreadable

Model = TypeVar("Model", bound=BaseModel)

_UNION_MARKS = ("<text>", "<map>", "<list>", "[key]")
"""What pydantic puts into a location besides keys: the form of a value (see `schema`), or that a key is meant."""


def validate(
    model: type[Model], value: Value, path: KeyPath, report: Report, *, stand_ins: Mapping[str, Value] | None = None
) -> Model | None:
    """Return `value` as `model` without its faulty parts, which are reported; None if nothing useful is left.

    `stand_ins` take the place of keys that the model needs and that are missing or faulty.
    """
    rest, given = value, stand_ins or {}
    seen: set[KeyPath] = set()
    while True:
        try:
            return model.model_validate(rest)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
        broken: set[KeyPath] = set()
        for fault in faults:
            spot = real_path(rest, fault["loc"])
            _report_fault(model, fault, spot, path, report)
            # A key that is missing breaks what it is missing from.
            has_stand_in = len(spot) == 1 and spot[0] in given
            broken.add(spot[:-1] if fault["type"] == "missing" and not has_stand_in else spot)
        report.mark_broken((*path, *spot) for spot in broken)
        if () in broken:
            return None
        assert not broken <= seen, f"no progress in reading {broken}"
        seen |= broken
        rest = _without(rest, broken, given, path, report)


def real_path(value: Value, loc: Iterable[str | int]) -> KeyPath:
    """Return a pydantic location without the marks of union members (`<text>`), which are no keys."""
    path: list[str | int] = []
    here: Value | None = value
    for part in loc:
        is_key = isinstance(here, Map) and part in here
        if not is_key and part in _UNION_MARKS:
            continue
        path.append(part)
        if isinstance(here, Map) and isinstance(part, str):
            here = here.get(part)
        elif isinstance(here, Seq) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            here = None
    return tuple(path)


def _report_fault(model: type[BaseModel], fault: ErrorDetails, spot: KeyPath, path: KeyPath, report: Report) -> None:
    full = (*path, *spot)
    kind = fault["type"]
    if report.is_full:  # hints take time
        report.error(full, kind)
    elif kind == "extra_forbidden":
        known = known_keys(model, spot[:-1])
        hint = f"{did_you_mean(str(spot[-1]), known)}keys here: {', '.join(known)}"
        message = "is not a key of the script format" if len(full) == 1 else "is not a key here"
        report.error(full, message, hint, of_key=True)
    elif kind == "missing":
        report.error(full, "is missing", _missing_hint(full))
    elif isinstance(cause := fault.get("ctx", {}).get("error"), Unreadable):
        report.error(full, cause.message, cause.hint or _shape_hint(full, report))
    else:
        report.error(full, _shape_message(kind, fault["msg"], full, report))


def _shape_hint(path: KeyPath, report: Report) -> str | None:
    """Return how to write a segment, an output or a person that was given as a text."""
    value = value_at(report.root, path)
    if len(path) != 2 or not isinstance(value, Text) or not value:
        return None
    if path[0] == "segments":
        return f"write {{audio: {shorten(value)}}}"
    if path[0] == "output":
        return f"write {{path: {shorten(value)}}}"
    if path[0] == "cast":
        return f"write {path[1]}: {{portrait: {shorten(value)}}}"
    return None


def _missing_hint(path: KeyPath) -> str | None:
    if path == ("moee",):
        return "start the script with `moee: 1`"
    if path == ("segments",):
        return "for example `segments: [{audio: hello.wav}]`"
    if path[0] == "cast":
        return f"for example {path[1]}: {{portrait: {path[1]}.png}}"
    if path[-1] == "at":
        return "say when the keyframe is reached, such as `at: 40%`"
    return None


def _shape_message(kind: str, message: str, path: KeyPath, report: Report) -> str:
    value = value_at(report.root, path)
    if isinstance(value, Text) and value.is_missing:
        return "has no value"
    found = "a list" if isinstance(value, Seq) else "a mapping" if isinstance(value, Map) else show(str(value))
    expected = {"dict_type": "a mapping of keys", "list_type": "a list"}.get(kind)
    return f"is {found}, not {expected}" if expected else message


def known_keys(model: type[BaseModel], spot: KeyPath) -> list[str]:
    """Return the keys that the mapping at `spot` inside `model` may have."""
    annotation: Any = model
    for part in spot:
        annotation = _step(annotation, part)
    found = _first_model(annotation)
    return [] if found is None else [field.alias or name for name, field in found.model_fields.items()]


def _step(annotation: Any, part: str | int) -> Any:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            for name, field in member.model_fields.items():
                if part == (field.alias or name):
                    return field.annotation
        elif get_origin(member) in (dict, list) and isinstance(part, int) == (get_origin(member) is list):
            return get_args(member)[-1]
    return None


def _members(annotation: Any) -> list[Any]:
    """Return what an annotation may be, without `Annotated` and unions around it."""
    if not get_args(annotation) or get_origin(annotation) in (dict, list):
        return [annotation]
    return [member for argument in get_args(annotation) for member in _members(argument)]


def _first_model(annotation: Any) -> type[BaseModel] | None:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def _without(
    value: Value, broken: set[KeyPath], stand_ins: Mapping[str, Value], path: KeyPath, report: Report
) -> Value:
    """Return a value without the paths in `broken`; `report` learns which entries of lists are left."""
    rest = _cut(value, (), broken, path, report)
    if isinstance(rest, Map):
        for key, stand_in in stand_ins.items():
            if key not in rest:
                rest.put(key, stand_in, stand_in.mark)
    return rest


def _cut(value: Value, spot: KeyPath, broken: set[KeyPath], path: KeyPath, report: Report) -> Value:
    if isinstance(value, Map):
        mapping = Map(value.mark)
        for key, item in value.items():
            if (*spot, key) not in broken:
                mapping.put(key, _cut(item, (*spot, key), broken, path, report), value.key_marks[key])
        return mapping
    if isinstance(value, Seq):
        kept = [index for index in range(len(value)) if (*spot, index) not in broken]
        items = Seq(value.mark)
        items.extend(_cut(value[index], (*spot, index), broken, path, report) for index in kept)
        if len(kept) < len(value):
            report.kept_entries[(*path, *spot)] = kept
        return items
    return value
