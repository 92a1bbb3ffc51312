"""YAML text to values: everything stays text, everything has a place, nothing runs away."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from moee_cli.core.errors import ScriptError
from moee_cli.script import read_yaml
from moee_cli.script.positions import Source, to_plain

SOURCE = Source("s.yaml", Path("/somewhere"))


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def both_parsers(request, monkeypatch):
    """libyaml is not everywhere: the parser in Python must say the same."""
    monkeypatch.setattr(read_yaml, "_LOADER", getattr(yaml, request.param))


def read(text):
    return read_yaml.read_text(text, SOURCE)


def fault(text):
    with pytest.raises(ScriptError) as caught:
        read(text)
    return caught.value.problems[0]


@pytest.mark.parametrize(
    "typed", ["no", "007", "1:30", "2024-01-01", "1e3", "0x1F", "~", "null", "True", ".5", "1_000", "0o17", "+1", "y"]
)
def test_scalars_stay_what_was_typed(typed):
    assert to_plain(read(f"key: {typed}\n{typed}: key")) == {"key": typed, typed: "key"}


def test_a_missing_value_differs_from_an_empty_text():
    tree = read("a:\nb: ''\nc: ~")
    assert [tree[key].is_missing for key in "abc"] == [True, False, False]


def test_places_count_characters_from_one():
    tree = read("a: 1\nä:\n  - {ü: x, 'y': z}\n")
    assert str(tree["ä"][0]["y"].mark) == "s.yaml:3:17"
    assert str(tree["ä"][0].key_marks["y"]) == "s.yaml:3:12"
    assert str(tree["ä"].mark) == "s.yaml:3:3"


def test_anchors_aliases_and_merge_keys():
    tree = read(
        "x-base: &base {speaker: ana, head: 1}\n"
        "x-calm: &calm {head: 0, blinks: 9}\n"
        "one: {<<: *base, head: 2}\n"
        "two: {<<: [*calm, *base]}\n"
        "three: *base\n"
    )
    assert to_plain(tree["one"]) == {"head": "2", "speaker": "ana"}
    assert to_plain(tree["two"]) == {"head": "0", "blinks": "9", "speaker": "ana"}
    assert to_plain(tree["three"]) == {"speaker": "ana", "head": "1"}
    assert str(tree["one"]["speaker"].mark) == "s.yaml:1:25"


def test_a_quoted_merge_key_is_a_key():
    assert to_plain(read("'<<': 1")) == {"<<": "1"}


@pytest.mark.parametrize(
    ("text", "message", "where", "hint"),
    [
        ("a: 1\nb: 2\na: 3", '"a" is given twice', "s.yaml:3:1", "line 1"),
        ("a: {b: 1, c: 2, b: 3}", '"b" is given twice', "s.yaml:1:17", "line 1"),
        ("a:\n\tb: 1", "a tab indents", "s.yaml:2:1", "spaces"),
        ("a:\n  b: 1\n\tc: 1", "a tab indents", "s.yaml:3:1", "spaces"),
        ("a:\n  - b\n \t - c", "a tab indents", "s.yaml:3:2", "spaces"),
        ("s: [{audio: ${takes}/01.wav}]", "", "s.yaml:1:14", "must be in quotes"),
        ("s: {audio: ${takes}}", "", "s.yaml:1:13", "must be in quotes"),
        ("s: [${takes}]", "", "s.yaml:1:6", "must be in quotes"),
        ("a: b: c", "mapping values", "s.yaml:1:5", "must be in quotes"),
        ("a: @b", "cannot start", "s.yaml:1:4", "in quotes"),
        ("a: `b`", "cannot start", "s.yaml:1:4", "in quotes"),
        ("a: 'b", "not valid YAML", "s.yaml", None),
        ("a: [b", "not valid YAML", "s.yaml", None),
        ("a: *b", 'no anchor "&b"', "s.yaml:1:4", "define it first"),
        ("a: &a [*a]", "inside its own anchor", "s.yaml:1:8", None),
        ("<<: 5", "needs a mapping", "s.yaml:1:1", "<<: *base"),
        ("<<: [{a: 1}, 5]", "needs a mapping", "s.yaml:1:1", None),
        ("a: !!float 5", 'the tag "!!float" is not read', "s.yaml:1:4", "typed by its key"),
        ("a: !!python/object:os.system {}", "is not read", "s.yaml:1:4", None),
        ("a: !include b.yaml", 'the tag "!include"', "s.yaml:1:4", None),
        ("a: 1\n---\nb: 1", "second document", "s.yaml:2:1", "---"),
        ("? [a]\n: b", "cannot be a key", "s.yaml:1:3", "keys are names"),
        ("- a\n- b", "is a list, not a mapping", "s.yaml:1:1", "moee: 1"),
        ("hello", "is a text, not a mapping", "s.yaml:1:1", "moee: 1"),
        ("", "is empty", "s.yaml", "moee init"),
        ("# nothing\n", "is empty", "s.yaml", "moee init"),
        ("~", "is a text", "s.yaml:1:1", None),
        ("a: b\x00", "control character U+0000", "s.yaml:1:5", "text"),
        ("a: 1\n\x1b[0m", "control character U+001B", "s.yaml:2:1", "text"),
        ('a: "\\ud800"', "", "s.yaml:1:", None),
    ],
)
def test_what_cannot_be_read_has_one_clear_message(text, message, where, hint):
    problem = fault(text)
    assert message in problem.message
    assert problem.where.startswith(where)
    if hint:
        assert hint in problem.hint


def test_all_duplicates_are_reported_at_once():
    with pytest.raises(ScriptError) as caught:
        read("a: 1\na: 2\nb: {c: 1, c: 2}\nd: !!int 5\n")
    assert [problem.where for problem in caught.value.problems] == ["s.yaml:2:1", "s.yaml:3:11", "s.yaml:4:4"]


def test_an_anchor_bomb_is_refused():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    problem = fault(bomb)
    assert "anchors repeat too much" in problem.hint


def test_a_merge_bomb_is_refused():
    bomb = "x0: &x0 {" + ", ".join(f"k{n}: 1" for n in range(2000)) + "}\n"
    bomb += "".join(f"y{n}: {{<<: *x0}}\n" for n in range(200))
    assert "holds more than" in fault(bomb).message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_without_recursion(opening):
    assert "levels deep" in fault("a:\n  " + opening * 20_000).message


def test_nesting_through_anchors_counts():
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60))
    assert "levels deep" in fault(text).message


def test_faults_are_counted_only_so_far():
    with pytest.raises(ScriptError) as caught:
        read("a: 1\n" * (3 * read_yaml.MAX_PROBLEMS))
    *problems, last = caught.value.problems
    assert [problem.severity for problem in problems] == ["error"] * read_yaml.MAX_PROBLEMS
    assert last.severity == "warning"


# --- files


def file_fault(path):
    with pytest.raises(ScriptError) as caught:
        read_yaml.read_file(path, path.name)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfa: \xc3\xa4\n", "a: ä\r\n".encode("utf-16"), "\ufeffa: ä\n".encode("utf-16-be")]
)
def test_byte_order_marks_are_understood(tmp_path, data):
    path = tmp_path / "s.yaml"
    path.write_bytes(data)
    assert to_plain(read_yaml.read_file(path, "s.yaml")) == {"a": "ä"}


@pytest.mark.parametrize(
    ("data", "message", "where"),
    [
        (b"a: 1\nb: caf\xe9\n", "byte 0xe9 is not UTF-8", "s.yaml:2:7"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe", "is not a text file", "s.yaml"),
        ("a: 1\n".encode("utf-16-le"), "control character U+0000", "s.yaml:1:2"),
        (b"", "is empty", "s.yaml"),
        (b"a: 1\n" + b"#" * read_yaml.MAX_BYTES, "is larger than 16 MB", "s.yaml"),
    ],
)
def test_files_that_are_no_text(tmp_path, data, message, where):
    path = tmp_path / "s.yaml"
    path.write_bytes(data)
    problem = file_fault(path)
    assert message in problem.message
    assert problem.where == where


def test_a_folder_is_no_script(tmp_path):
    assert "is a folder" in file_fault(tmp_path).message


def test_a_missing_file(tmp_path):
    assert file_fault(tmp_path / "none.yaml").message == "does not exist"


def test_a_name_that_is_too_long(tmp_path):
    assert file_fault(tmp_path / ("x" * 300)).message


def test_a_loop_of_links(tmp_path):
    path = tmp_path / "loop.yaml"
    path.symlink_to(path)
    assert file_fault(path).message


def test_an_endless_device_is_read_only_so_far():
    assert file_fault(Path("/dev/zero")).message


def test_reading_imports_nothing_heavy():
    code = (
        "import sys; import moee_cli.script.load, moee_cli.presets;"
        "print([name for name in ('torch', 'cv2', 'mediapipe', 'av') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_an_unclosed_brace_is_said_to_be_missing(project):
    problem = project.problem("moee: 1\ncast: {ana: {portrait: ana.png}\nsegments: [\n")
    assert "',' or '}'" in problem.message
    assert "is not there" not in problem.message
    assert problem.where == "film.yaml:3:1"
