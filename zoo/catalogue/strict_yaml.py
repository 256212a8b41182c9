"""YAML without its surprises: 2e-4 is a number, `on` is text, a key stands once; and every value has its line."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from zoo.errors import ZooError

try:  # libyaml reads ten times as fast as PyYAML's own parser, and is missing from some builds
    from yaml import CSafeLoader as BaseLoader
except ImportError:
    from yaml import SafeLoader as BaseLoader  # type: ignore[assignment]

Keys = tuple[str | int, ...]  # the way from the top of a document to a value

PREFIX = "tag:yaml.org,2002:"
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # the escape of a byte of a name that is no UTF-8
# PyYAML follows YAML 1.1: 2e-4 and 1e3 are text, on/off/yes/no booleans, 1:30 is 90 and 2024-01-01 a date.
PATTERNS = {
    "bool": (r"(?:true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)\Z", "-+0123456789"),
    "float": (
        r"(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)\Z",
        "-+.0123456789",
    ),
    "null": (r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
}


class StrictLoader(BaseLoader):
    """A safe loader that resolves plain scalars by PATTERNS alone."""


class StrictPythonLoader(yaml.SafeLoader):
    """The same by PyYAML's own parser, which reads what libyaml refuses: the escapes of a name that is no UTF-8."""


class StrictDumper(yaml.SafeDumper):
    """Quotes every text that this or another reader of YAML would take for something else."""


StrictLoader.yaml_implicit_resolvers = {}
StrictPythonLoader.yaml_implicit_resolvers = {}
for _name, (_pattern, _first) in PATTERNS.items():
    for _class in (StrictLoader, StrictPythonLoader, StrictDumper):
        _class.add_implicit_resolver(PREFIX + _name, re.compile(_pattern), list(_first))


def _represented_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Escapes come back as they were; a line separator in another style would come back as a line feed.
    return dumper.represent_scalar(PREFIX + "str", text, style=None if text.isprintable() else '"')


StrictDumper.add_representer(str, _represented_text)
StrictDumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]


@dataclass
class Document:
    """A YAML file as plain data, the line of every key and item, and the errors found in it so far."""

    label: str  # how the file is called in messages
    data: Any = None
    lines: dict[Keys, int] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)
    faulty: set[Keys] = field(default_factory=set)  # the ways to values with an error

    def line(self, keys: Keys) -> int:
        """The line of the value that `keys` leads to."""
        return self.lines.get(keys, 1)

    def place(self, keys: Keys) -> str:
        """`registry.yaml:12`, for the value that `keys` leads to."""
        return f"{self.label}:{self.line(keys)}"

    def error(self, keys: Keys, message: str) -> None:
        """Keeps `message` for the value at `keys`, unless an error in it or inside of it was kept before.

        So an entry whose key is misspelt is not also said to lack that key.
        """
        if not any(each[: len(keys)] == keys for each in self.faulty):
            self.error_at(self.line(keys), message)
        self.faulty.add(keys)

    def error_at(self, line: int, message: str) -> None:
        """Keeps `message`, to be shown with `line`."""
        self.errors.append((line, message))

    def messages(self) -> list[str]:
        """Every error as `registry.yaml:12: what was wrong`, in the order of the lines."""
        return [f"{self.label}:{line}: {message}" for line, message in sorted(self.errors)]


def read_document(path: Path, label: str) -> Document:
    """The file at `path`; what is no YAML at all is its only error."""
    try:
        return parse_document(path.read_text(encoding="utf-8"), label)
    except OSError as error:
        raise ZooError(f"Cannot read {label}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ZooError(f"Cannot read {label}: it is not UTF-8 text ({error}).") from error


def parse_document(text: str, label: str) -> Document:
    """`text` as plain data with line numbers; an empty text holds None."""
    document = Document(label)
    try:
        node = yaml.compose(text, Loader=StrictPythonLoader if SURROGATE.search(text) else StrictLoader)
    except yaml.YAMLError as error:
        document.error_at(*_problem(error, text))
        return document
    if node is not None:
        document.data = _value(node, (), (), document)
    return document


def dump_document(data: Any) -> str:
    """Plain data as YAML that `parse_document` gives back equal."""
    return yaml.dump(data, Dumper=StrictDumper, sort_keys=False, allow_unicode=True, width=120)


def parse_value(text: str) -> Any:
    """One value as YAML writes it, for `--set key=value`: `2e-4`, `true`, `[1, 2]` or plain text."""
    document = parse_document(text, "value")
    if document.errors:
        raise ZooError(f"Cannot read the value '{text}': {document.errors[0][1]}")
    return document.data


def _problem(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return error.problem_mark.line + 1, f"is not valid YAML: {error.problem}."
    position = getattr(error, "position", None)
    line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
    return line, f"is not valid YAML: {getattr(error, 'reason', error)}."


def _value(node: yaml.Node, keys: Keys, parents: tuple[yaml.Node, ...], document: Document) -> Any:
    """The plain value of `node`, recording lines and errors in `document`."""
    line = node.start_mark.line + 1
    document.lines.setdefault(keys, line)  # a mapping's value has the line of its key
    if any(parent is node for parent in parents):
        document.error(keys, "an alias (*) stands inside of the value that it repeats.")
        return None
    inside = (*parents, node)
    kind = node.tag.removeprefix(PREFIX)
    if isinstance(node, yaml.MappingNode) and kind == "map":
        return _mapping(node, keys, inside, document)
    if isinstance(node, yaml.SequenceNode) and kind == "seq":
        return [_value(item, (*keys, index), inside, document) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode) and kind in ("str", *PATTERNS):
        return _scalar(node.value, kind, keys, document)
    refused = f"the tag '{node.tag}' is refused"
    document.error(keys, f"{refused}. Write plain text, numbers, true, false, lists and mappings.")
    return None


def _mapping(node: yaml.MappingNode, keys: Keys, inside: tuple[yaml.Node, ...], document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line, key = key_node.start_mark.line + 1, key_node.value
        if not isinstance(key, str):
            document.error_at(line, "a key must be text, not a list or a mapping.")
        elif key_node.tag != PREFIX + "str":
            document.error_at(line, f"the key '{key}' is not text. Put it in quotes.")
        elif key in result:
            document.error_at(line, f"'{key}' stands twice; first in line {document.lines[(*keys, key)]}. Remove one.")
        else:
            document.lines[(*keys, key)] = line
            result[key] = _value(value_node, (*keys, key), inside, document)
    return result


def _scalar(text: str, kind: str, keys: Keys, document: Document) -> str | int | float | bool | None:
    """`text` as its kind says; a tag that was written out, such as !!int, may not fit what follows it."""
    if kind == "str":
        return text
    if not re.match(PATTERNS[kind][0], text):
        document.error(keys, f"'{text}' is no {kind}.")
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "null":
        return None
    return int(text) if kind == "int" else float(text.replace(".inf", "inf").replace(".nan", "nan"))
