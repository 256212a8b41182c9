"""`zoo new`: a plugin file that works and explains every hook, and a test of it against the whole contract."""

import keyword
import sys
from importlib.util import find_spec
from pathlib import Path

from zoo.catalogue import Catalogue, read_catalogue
from zoo.catalogue.checks import NAME
from zoo.catalogue.entries import match
from zoo.errors import ZooError

FOLDER = Path(__file__).with_name("templates")
TEMPLATES = (FOLDER / "plugin.txt", FOLDER / "test.txt")  # no .py: they are texts until `my_gan` has another name


def write_plugin(name: str, directory: Path) -> tuple[Path, Path]:
    """Writes NAME.py and test_NAME.py into `directory` and returns their paths; overwrites nothing."""
    targets = directory / f"{name}.py", directory / f"test_{name}.py"
    _check_name(name)
    for path in targets:
        if path.exists():
            raise ZooError(f"'{path}' exists already. Choose another name, or remove the file.")
    _check_free(name, read_catalogue(directory=directory))
    for path, template in zip(targets, TEMPLATES, strict=True):
        _write(path, template.read_text(encoding="utf-8").replace("MyGan", _class_name(name)).replace("my_gan", name))
    return targets


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ZooError(f"Cannot write '{path}': {error.strerror or error}.") from error


def _class_name(name: str) -> str:
    """`my_gan` as `MyGan`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _check_name(name: str) -> None:
    """Refuses a name that could not be both a Python module's and a part of a stack."""
    if name.isidentifier() and NAME.match(name) and not keyword.iskeyword(name):
        return
    candidate = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_")
    suggestion = f" Did you mean '{candidate}'?" if candidate.isidentifier() and candidate != name else ""
    rule = "it takes letters, digits and '_', as a Python module's"
    raise ZooError(f"'{name}' cannot be a plugin's name: {rule}.{suggestion}")


def _check_free(name: str, catalogue: Catalogue) -> None:
    """Refuses a name under which `zoo run --plugin` would find something else, or that would hide another module."""
    for kind, known in (("plugin", catalogue.plugins), ("variant", catalogue.variants)):
        if taken := match(name, known):
            raise ZooError(f"There is a {kind} '{taken}' already ({known[taken].source}). Choose another name.")
    if name in sys.stdlib_module_names or find_spec(name):
        raise ZooError(f"There is a Python module '{name}' already, which {name}.py would hide. Choose another name.")
