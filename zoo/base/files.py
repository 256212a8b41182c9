"""Atomic writing: a file appears under its name only when it is complete."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from zoo.base.plain_data import plain
from zoo.errors import ZooError

WRITING = ".writing-"  # prefix of the names of files that are not complete yet


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, which replaces `path` once the context ends without an error and it is on disk."""
    temporary = path.with_name(f"{WRITING}{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.filename is None:  # a write or fsync that failed, which does not know where
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: Path, option: str) -> None:
    """Raises ZooError, before there is anything to lose, where neither a file nor a folder `path` can be written."""
    place = path if path.is_dir() else next(each for each in path.absolute().parents if each.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise unwritable(path, error, option) from error


def unwritable(path: Path, error: OSError, option: str) -> ZooError:
    """The error about a place that can't be written, which `option` chose."""
    return ZooError(f"Can't write {path}: {error.strerror or error}. Choose another place with {option}.")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `path`, that is missing or empty, once the context ends without an error."""
    scratch = path.with_name(f"{WRITING}{os.getpid()}-{path.name}")
    scratch.mkdir(parents=True)
    try:
        yield scratch
        if path.exists():
            path.rmdir()  # which is empty
        scratch.replace(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def file_hash(path: Path) -> str:
    """The sha256 of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Writes plain data as a JSON file, atomically."""
    with atomic_file(path) as file:
        file.write(json.dumps(plain(content), indent=1).encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object that `write_json` wrote; None where the file is missing or torn."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def modified(path: Path) -> float:
    """The modification time in seconds since 1970; 0 where the path is missing."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
