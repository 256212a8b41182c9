import math

import pytest
import yaml

from zoo.catalogue import parse_value
from zoo.catalogue.strict_yaml import StrictLoader, parse_document
from zoo.errors import ZooError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-4", 0.0002),
        ("1E3", 1000.0),
        ("-2.5e+3", -2500.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("64", 64),
        ("-1", -1),
        ("10_000", 10000),
        ("true", True),
        ("False", False),
        ("null", None),
        ("", None),
        ("[1, 2e-4, on]", [1, 0.0002, "on"]),
        ("'64'", "64"),
    ],
)
def test_a_value_has_the_type_that_it_reads_as(text: str, value: object) -> None:
    result = parse_value(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("text", ["on", "off", "yes", "no", "1:30", "2026-01-01", "e5", "1e", ".", "010", "1.2.3"])
def test_what_yaml_takes_for_booleans_dates_and_times_stays_text(text: str) -> None:
    assert parse_value(text) == text


def test_the_stock_loader_would_read_the_same_texts_differently() -> None:
    assert yaml.safe_load("2e-4") == "2e-4"
    assert yaml.safe_load("on") is True


def test_other_safe_loaders_keep_their_own_rules() -> None:
    assert yaml.SafeLoader.yaml_implicit_resolvers is not StrictLoader.yaml_implicit_resolvers
    assert math.isinf(yaml.safe_load(".inf"))


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("a: 1\nb: 2\na: 3\n", ["x.yaml:3: 'a' stands twice; first in line 1. Remove one."]),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            [
                "x.yaml:1: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is refused. "
                "Write plain text, numbers, true, false, lists and mappings."
            ],
        ),
        (
            "a: !mine 3\nb: !!set {x}\n",
            [
                "x.yaml:1: the tag '!mine' is refused. Write plain text, numbers, true, false, lists and mappings.",
                "x.yaml:2: the tag 'tag:yaml.org,2002:set' is refused. "
                "Write plain text, numbers, true, false, lists and mappings.",
            ],
        ),
        ("a: !!int many\n", ["x.yaml:1: 'many' is no int."]),
        ("a: 1\n2: 3\n", ["x.yaml:2: the key '2' is not text. Put it in quotes."]),
        ("? [a, b]\n: 3\n", ["x.yaml:1: a key must be text, not a list or a mapping."]),
        ("a: &a\n  b: *a\n", ["x.yaml:2: an alias (*) stands inside of the value that it repeats."]),
        ("a: 1\n---\nb: 2\n", ["x.yaml:2: is not valid YAML: but found another document."]),
    ],
)
def test_a_document_that_would_be_misread_is_an_error_with_its_line(text: str, errors: list[str]) -> None:
    assert parse_document(text, "x.yaml").messages() == errors


@pytest.mark.parametrize("text", ["a: [1, 2\n", "a: 1\n\tb: 2\n", "a: b: c\n", "a: *nothing\n", "a: \x01\n"])
def test_a_text_that_is_no_yaml_is_one_error_with_its_line(text: str) -> None:
    (message,) = parse_document(text, "x.yaml").messages()
    assert message.startswith(("x.yaml:1: is not valid YAML: ", "x.yaml:2: is not valid YAML: "))


def test_every_key_and_item_has_its_line() -> None:
    document = parse_document("a:\n  b: [1,\n    2]\nc: &x\n  d: 1\ne: *x\n", "x.yaml")
    assert document.data == {"a": {"b": [1, 2]}, "c": {"d": 1}, "e": {"d": 1}}
    lines = {("a",): 1, ("a", "b"): 2, ("a", "b", 1): 3, ("c",): 4, ("c", "d"): 5, ("e",): 6, ("e", "d"): 5}
    assert {keys: document.line(keys) for keys in lines} == lines


def test_a_value_that_cannot_be_read_is_shown() -> None:
    with pytest.raises(ZooError, match=r"^Cannot read the value '\[1': is not valid YAML: "):
        parse_value("[1")
