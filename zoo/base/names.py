"""Names of folders for whatever is trained: reversible for stacks and datasets, readable for paths of one's own."""

import hashlib
import os
from pathlib import Path
from urllib.parse import quote, unquote

from zoo.errors import ZooError

LONGEST_NAME = 255  # bytes of a folder's name that common file systems allow
READABLE = 160  # bytes of a name that a readable folder's name keeps
HASH = 6  # hexadecimal digits that tell data paths of one last name apart


def folder_name(name: str) -> str:
    """A folder's name for any stack or dataset, which `name_of_folder` reverses: `a/b` becomes `a%2Fb`.

    It never begins with a dot, which would hide it. Raises ZooError where it would be longer than 255 bytes.
    """
    quoted = quote(name, safe="+", errors="surrogateescape")
    if quoted.startswith("."):
        quoted = f"%2E{quoted[1:]}"
    if quoted.strip(".") == "":
        quoted = quoted.replace(".", "%2E")
    if len(quoted) > LONGEST_NAME:
        raise ZooError(f"The name '{name}' is too long for a folder. Choose one with --out DIR.")
    return quoted


def name_of_folder(folder: str) -> str:
    """The inverse of `folder_name`: `a%2Fb` becomes `a/b`."""
    return unquote(folder, errors="surrogateescape")


def is_data_path(dataset: str) -> bool:
    """Whether a dataset's name is the path of a user's own data, which is absolute wherever it is recorded."""
    return Path(dataset).is_absolute()


def dataset_folder(dataset: str) -> str:
    """The folder's name for a dataset: `mnist`, and `photos-3f2a9c` for the path `/home/me/photos`.

    The hash of the whole path keeps folders of one last name apart, and apart from datasets of that name.
    """
    if not is_data_path(dataset):
        return folder_name(dataset)
    digest = hashlib.sha256(os.fsencode(dataset)).hexdigest()[:HASH]
    return f"{readable(short_name(dataset))}-{digest}"


def short_name(dataset: str) -> str:
    """What a dataset is called where there is little room: the last name of a path, any other name as it is."""
    return Path(dataset).name or "root" if is_data_path(dataset) else dataset


def readable(name: str, longest: int = READABLE) -> str:
    """The name as a part of a file's name: letters, digits and `._-` are kept, at most so many bytes, no first dot."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name).lstrip(".")
    return kept.encode()[:longest].decode(errors="ignore") or "_"
