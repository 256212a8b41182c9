"""Code that came with a run from elsewhere: it is executed only once its reader said so, file by file and by hash."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.base.files import file_hash, read_json
from zoo.catalogue import PluginEntry, read_catalogue
from zoo.errors import ZooError

PULLED = "pulled.json"  # in a run's folder: where it came from, and the hashes of the code that is trusted


def check_trusted(run: Path, entries: Sequence[PluginEntry]) -> None:
    """Raise ZooError where a pulled run would execute code that is neither installed here nor trusted."""
    if not (run / PULLED).exists():
        return
    pulled = read_json(run / PULLED)
    if pulled is None:
        raise ZooError(f"{run / PULLED} is damaged. Remove the folder {run}, and pull it again.")
    known = {each.module for each in read_catalogue().plugins.values()}
    for each in entries:
        if each.file is None and each.module not in known:
            raise ZooError(
                f"The run {run}, pulled from {pulled['from']}, needs the plugin '{each.name}' of the module "
                f"'{each.module}', which is no plugin of an installed package or of registry.yaml here. Install it."
            )
    code = {each.name: hash_of(each.file) for each in entries if each.file is not None}
    if code != {name: pulled["trusted"].get(name) for name in code}:
        raise ZooError(
            f"The run {run}, pulled from {pulled['from']}, brings code that would run here: "
            f"{listed(run, code)}. Read it; if you trust it: {trusting(pulled['from'], run)}"
        )


def hash_of(file: Path) -> str:
    """The sha256 of a file; empty where it is missing."""
    return file_hash(file) if file.is_file() else ""


def trusting(source: str, run: Path) -> str:
    """The command by which a run that was pulled is trusted."""
    return shlex.join(["zoo", "pull", source, "--out", str(run), "--trust"])


def listed(run: Path, code: Mapping[str, Any]) -> str:
    """`plugins/mine.py (sha256 1f0c...)`, for each plugin."""
    return ", ".join(f"{run / 'plugins' / name}.py (sha256 {digest})" for name, digest in code.items())
