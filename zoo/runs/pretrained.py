"""Generators that come with the zoo: `dcgan@fashion_mini` names a packed run in the folder `zoo/pretrained`."""

from pathlib import Path
from typing import Any

from zoo.base.files import read_json
from zoo.catalogue.entries import match
from zoo.errors import unknown

FOLDER = Path(__file__).parents[1] / "pretrained"
PACKED = "packed.json"  # what packing says of a run, read by lists without YAML or NumPy
SOURCE = "zoo.pretrained:"  # how the source of such a generator begins in lists


def pretrained_names() -> list[str]:
    """The names of all that there are."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*@*/{PACKED}"))


def is_pretrained_name(text: str) -> bool:
    """Whether a run is meant by a name such as `dcgan@fashion_mnist`, not by a path."""
    return "@" in text and "/" not in text and "\\" not in text and not Path(text).exists()


def pretrained_folder(name: str) -> Path:
    """The folder of a name, in which '-' and '_' are the same; raises ZooError for an unknown one."""
    found = match(name, names := pretrained_names())
    if found is None:
        raise unknown("pretrained generator", name, names)
    return FOLDER / found


def pretrained_rows() -> list[dict[str, Any]]:
    """Name, summary and source of each, for lists."""
    rows = []
    for name in pretrained_names():
        packed = read_json(FOLDER / name / PACKED) or {}
        rows.append({"name": name, "summary": str(packed.get("summary", "")), "source": f"{SOURCE}{name}"})
    return rows
