"""The script format as JSON Schema draft-07, for editors: made from the models, joined with the engines' options.

An editor sees values after YAML typed them, and before variables are replaced, so a number may also be a `${…}` text.
What only reading can tell (does the file exist, is the name an emotion) is not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from moee_cli.script.schema import FORMAT_VERSION, ScriptEntry
from moee_cli.script.values import VARIABLE

SCHEMA_NAME = f"moee-script-{FORMAT_VERSION}.schema.json"
"""File name that `moee schema` writes and scripts refer to."""

EngineModel = type[BaseModel] | Mapping[str, Any]


def json_schema(engine_models: Mapping[str, EngineModel], presets: Collection[str] = ()) -> dict[str, Any]:
    """Return the schema; `engine_models` are option models (or their schemas) by engine name."""
    schema = ScriptEntry.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs", {})
    schema["properties"]["engines"] = _engines(engine_models, definitions) | {
        "description": schema["properties"]["engines"]["description"]
    }
    if engine_models:
        schema["properties"]["engine"] |= _one_of_names(engine_models)
    if presets:
        named = _one_of_names(presets)
        for holder in (schema, definitions["OutputEntry"]):
            holder["properties"]["preset"] |= {"anyOf": [named, {"type": "array", "items": named}]}
    # Files that are only extended have no segments; what is required of a whole script is checked when it is read.
    schema["required"] = ["moee"]
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": SCHEMA_NAME,
        "title": f"moee script, format {FORMAT_VERSION}",
    }
    schema.pop("title", None)
    body: dict[str, Any] = _as_draft_07(schema | {"definitions": definitions})
    return head | body


def _one_of_names(names: Collection[str]) -> dict[str, Any]:
    return {"anyOf": [{"enum": sorted(names)}, {"type": "string", "pattern": VARIABLE}]}


def _engines(models: Mapping[str, EngineModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of `engines`; definitions of the option models get names of their own."""
    properties = {}
    for name, model in models.items():
        template = f"#/definitions/{name}-{{model}}"
        options = dict(model) if isinstance(model, Mapping) else model.model_json_schema(ref_template=template)
        for inner, definition in options.pop("$defs", {}).items():
            definitions[f"{name}-{inner}"] = definition
        options.setdefault("additionalProperties", False)
        properties[name] = options
    return {"type": "object", "properties": properties, "additionalProperties": {"type": "object"}}


def _as_draft_07(node: Any, *, is_table: bool = False) -> Any:
    """Return a schema without what the models need and editors do not: null, titles of keys, siblings of `$ref`.

    `is_table` says that the keys of `node` are names of properties or definitions.
    """
    if isinstance(node, list):
        return [_as_draft_07(item) for item in node]
    if not isinstance(node, dict):
        return node
    if is_table:
        return {key: _as_draft_07(value) for key, value in node.items()}
    tables = ("properties", "definitions", "patternProperties")
    plain = {key: _as_draft_07(value, is_table=key in tables) for key, value in node.items() if key != "default"}
    if node.get("default") is not None:
        plain["default"] = node["default"]
    plain.pop("discriminator", None)
    if "type" in plain or "anyOf" in plain or "$ref" in plain:
        plain.pop("title", None)
    for word in ("anyOf", "oneOf"):
        _drop_null(plain, word)
    if plain.get("additionalProperties") is False and plain.get("type") == "object":
        plain["patternProperties"] = {"^x-": {}}
    if "$ref" in plain and len(plain) > 1:
        plain["allOf"] = [{"$ref": plain.pop("$ref")}]
    return plain


def _drop_null(plain: dict[str, Any], word: str) -> None:
    """Take `null` out of a choice: None in a model means that the key was not written."""
    members = plain.get(word)
    if not isinstance(members, list) or {"type": "null"} not in members:
        return
    left = [member for member in members if member != {"type": "null"}]
    del plain[word]
    if len(left) > 1:
        plain[word] = left
        return
    for key, value in left[0].items():
        plain.setdefault(key, value)
