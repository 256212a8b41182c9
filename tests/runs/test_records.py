"""Whatever goes into a record is read back equal, for any name, path and value that a system allows."""

import json
import math
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import zoo
from zoo.base.files import read_json, write_json
from zoo.base.names import folder_name, name_of_folder
from zoo.base.plain_data import plain
from zoo.catalogue import dump_document, parse_document
from zoo.data.prepared.directory import read_meta
from zoo.data.prepared.writer import write_meta
from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EvaluationFile
from zoo.runs.directory import RunDirectory

LOOKALIKES = [
    *(
        "no",
        "yes",
        "on",
        "off",
        "y",
        "true",
        "False",
        "null",
        "Null",
        "~",
        "",
        " ",
        "-",
        "--- a",
        "...",
        "?",
        ": ",
        "a: b",
    ),
    *(
        "1e3",
        "2E-5",
        "1_000",
        "0x1f",
        "0o17",
        "017",
        "0b11",
        "1:30",
        "2020-01-01",
        "2020-01-01 10:00:00",
        ".inf",
        "-.INF",
    ),
    *(
        ".nan",
        "NaN",
        "Infinity",
        "<<",
        "=",
        "!tag x",
        "&a",
        "*a",
        "%x",
        "@x",
        "`x",
        "[1]",
        "{a}",
        "#x",
        "a #b",
        "'",
        '"',
    ),
    *("\\", "\\udcff", "\\n", "a\nb", "a\r\nb", "\n", "\t", " a ", "a  b", "\x00", "\x07", "\x1b[31m", "\x7f", "\x85"),
    *(
        "\u2028",
        "\u2029",
        "a\u2028b",
        "\xa0",
        "\ufeff",
        "\ufffe",
        "\uffff",
        "\U0001f984",
        "\U0010ffff",
        "Gewänder",
        "服",
    ),
    *(
        "\udc80",
        "caf\udce9",
        "\udcff\udcfe",
        "\ud800",
        "a" * 300,
        "ab cd " * 60,
        "\udcff é\u2028 " * 30,
        "e\u0301",
        "‮x",
    ),
]
VALUES = [
    *(0, -1, 2**63, -(10**40), True, False, None, 0.1, -0.0, 1e22, 1e-300, 5e-324, 1.7976931348623157e308),
    *(math.inf, -math.inf, math.nan, 1e16, 123456789.0, 3.0),
]


def nasty(draw: random.Random, depth: int = 0) -> Any:
    """A random tree of nasty names and values."""
    kind = draw.random()
    if depth < 3 and kind < 0.25:
        return {nasty_text(draw): nasty(draw, depth + 1) for _ in range(draw.randrange(4))}
    if depth < 3 and kind < 0.45:
        return [nasty(draw, depth + 1) for _ in range(draw.randrange(4))]
    return nasty_text(draw) if kind < 0.75 else draw.choice(VALUES)


def nasty_text(draw: random.Random) -> str:
    if draw.random() < 0.5:
        return draw.choice(LOOKALIKES)
    if draw.random() < 0.5:
        return os.fsdecode(bytes(draw.randrange(256) for _ in range(draw.randrange(12))))  # any file's name
    return "".join(
        chr(draw.choice((draw.randrange(0x300), draw.randrange(0x110000)))) for _ in range(draw.randrange(9))
    )


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal in kind as well: 1 is not 1.0, not-a-number is itself, -0.0 is not 0.0."""
    return repr(one) == repr(other)


@pytest.fixture(scope="module")
def trees() -> list[Any]:
    draw = random.Random(11)
    singles = [{"key": each, each: 1} for each in LOOKALIKES] + [{"value": each} for each in VALUES]
    return [*singles, *({"tree": nasty(draw), nasty_text(draw): nasty(draw)} for _ in range(600))]


def test_run_yaml_is_read_back_equal(trees: list[Any]):
    for tree in trees:
        text = dump_document(tree).encode().decode()
        document = parse_document(text, "run.yaml")
        assert document.errors == []
        assert alike(document.data, tree), text


def test_other_readers_of_yaml_find_the_same_texts():
    for text in LOOKALIKES:
        if not any(0xD800 <= ord(letter) < 0xE000 for letter in text):  # which libyaml refuses
            assert alike(yaml.safe_load(dump_document({"a": text})), {"a": text})


def test_json_records_are_read_back_equal(trees: list[Any], tmp_path: Path):
    write_json(tmp_path / "job.json", {"trees": trees})
    assert alike(read_json(tmp_path / "job.json"), {"trees": trees})
    write_meta(tmp_path, {"trees": trees})
    assert alike(read_meta(tmp_path)["trees"], trees)
    evaluations = [{"step": 1, "scored": each, "scores": [{"name": each, "value": math.nan}]} for each in LOOKALIKES]
    file = EvaluationFile(tmp_path / "evaluation.json")
    file.write(evaluations)
    assert alike(file.read(), evaluations)


def test_metrics_are_read_back_equal(tmp_path: Path):
    directory = RunDirectory(tmp_path)
    lines = [{"step": number, **{name: value}} for number, name in enumerate(LOOKALIKES) for value in VALUES]
    for line in lines:
        directory.append_metrics(line)
    assert alike(directory.read_metrics(), lines)
    directory.keep_metrics(lambda step: step % 2 == 0)
    assert alike(directory.read_metrics(), [line for line in lines if line["step"] % 2 == 0])


@pytest.mark.parametrize(
    "line", ['{"step": Infinity}', '{"step": null}', "[" * 10_000, "\0\0\0", '"step"', '{"step": 1']
)
def test_a_torn_line_of_metrics_is_passed_over(line: str, tmp_path: Path):
    (tmp_path / "metrics.jsonl").write_bytes(b'{"step": 1}\n\xff\n' + line.encode())
    assert RunDirectory(tmp_path).read_metrics() == [{"step": 1}]


def test_values_of_numpy_and_paths_become_plain_and_others_are_refused_with_their_place():
    value = {
        "a": np.float32(0.5),
        "b": np.int64(3),
        "c": np.bool_(True),
        "d": np.arange(3),
        "e": Path("x/y"),
        1: (2, 3),
    }
    found = plain(value)
    assert alike(found, {"a": 0.5, "b": 3, "c": True, "d": [0, 1, 2], "e": "x/y", "1": [2, 3]})
    assert type(plain(np.float64(0.1))) is float
    assert type(plain(np.str_("x"))) is str
    with pytest.raises(ZooError, match=r"run\.yaml\.recipe\[1\] can't be written: it is a bytes"):
        plain({"recipe": [1, b"x"]}, "run.yaml")
    with pytest.raises(ZooError, match="two of its keys read alike"):
        plain({1: "a", "1": "b"})


def test_a_folder_of_any_name_comes_back():
    for name in (each for each in LOOKALIKES if each and len(each) < 80 and "\ud800" not in each):
        assert name_of_folder(folder_name(name)) == name
        assert not folder_name(name).startswith(".")


def test_a_run_of_names_that_are_no_text_is_made_found_and_continued(zoo_command, tiny_words, tmp_path: Path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9\n\x1b[31m"
    Path(os.fsdecode(folder)).mkdir()
    draw = np.random.default_rng(3)
    np.save(os.fsdecode(folder) + "/no.npy", draw.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))
    os.chdir(folder)
    for steps in (1, 2):
        result = zoo_command(*tiny_words("--steps", steps, dataset="./no.npy"))
        assert result.code == 0, result.err
    (path,) = Path().glob("runs/*/*/*")
    run = zoo.load(path)
    assert run.record["dataset"]["path"] == os.fsdecode(folder) + "/no.npy"
    assert run.held_out.count == 4
    assert zoo_command("watch", "--json").code == 0
    assert zoo_command("watch", "--once").code == 0
    title = "caf\udce9 \u2028 <b>"
    assert zoo_command("report", path, "--out", "report", "--title", title).code == 0
    assert json.loads(Path("report/comparison.json").read_text(encoding="utf-8"))["title"] == title
