"""Files in a folder or in a zip behind one interface. A zip is not trusted: paths and sizes are checked."""

import os
import stat
import threading
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PureWindowsPath

from zoo.errors import ZooError

ZIP = ".zip"
LARGEST_FILE = 2**28  # bytes, 256 MiB, that one image or list in a zip may have uncompressed
DEEPEST = 6  # levels of nested folders
DEAD_LINKS = "links to nothing"
JUNK = {  # in lower case: what archivers and systems leave behind
    *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "#recycle", "$recycle.bin", "lost+found"),
    "system volume information",
}
UTF_8_NAMES = 0x800  # the flag of a zip's entry whose name is in UTF-8; any other name is read as in code page 437


@dataclass(frozen=True)
class Entry:
    """One file: its path below the root with forward slashes, its size in bytes, its modification time or checksum."""

    path: str
    size: int
    stamp: int

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the folders, then the file's."""
        return tuple(name for name in self.path.split("/") if name not in ("", "."))  # ten times as fast as pathlib


class Tree(ABC):
    """The files below a root, which is a folder or a zip."""

    path: Path

    @cached_property
    @abstractmethod
    def entries(self) -> list[Entry]:
        """Every file, sorted by path, without hidden files and those that archivers add."""

    @property
    def dead_links(self) -> list[str]:
        """The paths of links that lead nowhere."""
        return []

    @abstractmethod
    def read(self, entry: Entry, most: int | None = None) -> bytes:
        """The file's first `most` bytes, or all; raises OSError where it can't be read."""


@dataclass(frozen=True)
class FolderTree(Tree):
    """A folder; links in it are followed, since the user made them."""

    path: Path

    @cached_property
    def entries(self) -> list[Entry]:
        return [each for each in self._found if isinstance(each, Entry)]

    @property
    def dead_links(self) -> list[str]:
        return [each for each in self._found if isinstance(each, str)]

    @cached_property
    def _found(self) -> list[Entry | str]:
        """Every file, and the path of every link to nothing."""
        try:
            return sorted(self._walk(self.path, ""), key=lambda each: each if isinstance(each, str) else each.path)
        except OSError as error:
            raise ZooError(f"Cannot read {error.filename or self.path}: {error.strerror or error}.") from error

    def read(self, entry: Entry, most: int | None = None) -> bytes:
        with (self.path / entry.path).open("rb") as file:
            return file.read(-1 if most is None else most)

    def _walk(self, folder: Path, prefix: str) -> Iterator[Entry | str]:
        if prefix.count("/") > DEEPEST:
            raise ZooError(f"{folder} lies more than {DEEPEST} folders below {self.path}: is a link going in a circle?")
        with os.scandir(folder) as found:
            known = [each for each in found if not _ignored(each.name)]
        for each in known:
            if each.is_symlink() and not leads_somewhere(each.path):
                yield prefix + each.name
            elif each.is_dir():
                yield from self._walk(Path(each.path), f"{prefix}{each.name}/")
            elif each.is_file():
                status = each.stat()
                yield Entry(prefix + each.name, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class ZipTree(Tree):
    """A zip file, read without unpacking it to disk."""

    path: Path
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @cached_property
    def entries(self) -> list[Entry]:
        """Every file of the archive; raises ZooError for links, encryption, absolute paths and oversized files."""
        return sorted(self._infos, key=lambda entry: entry.path)

    @cached_property
    def _infos(self) -> dict[Entry, zipfile.ZipInfo]:
        files = {info: self._checked(info) for info in self._archive.infolist() if not name_of(info).endswith("/")}
        known = {info: entry for info, entry in files.items() if not any(_ignored(part) for part in entry.parts)}
        if len({entry.path for entry in known.values()}) < len(known):
            raise ZooError(f"{self.path} holds two files of one name. Pack it anew.")
        return {entry: info for info, entry in known.items()}

    def read(self, entry: Entry, most: int | None = None) -> bytes:
        """The file's bytes, at most as many as its entry says; raises OSError for any damage."""
        try:
            with self.lock, self._archive.open(self._infos[entry]) as file:
                return file.read(entry.size if most is None else min(most, entry.size))
        except Exception as error:  # zipfile, zlib, bz2 and lzma each have errors of their own for damage
            raise OSError(f"{entry.path}: {error}") from error

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except Exception as error:  # struct and zipfile raise many kinds of errors for what is no archive
            raise ZooError(f"Cannot read {self.path}: {error}. It is no zip file, or a part of one.") from error

    def _checked(self, info: zipfile.ZipInfo) -> Entry:
        name = name_of(info)
        path = PureWindowsPath(name)  # Windows' rules are the stricter ones, and cover / as well as \
        if path.anchor or ".." in path.parts:
            raise self._refused(info.filename, "a path that leads out of the archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise self._refused(name, "a link")
        if info.flag_bits & 1:
            raise self._refused(name, "encrypted")
        if info.file_size > LARGEST_FILE:
            raise self._refused(name, f"{info.file_size:,} bytes unpacked, above the limit of {LARGEST_FILE:,}")
        return Entry(name, info.file_size, info.CRC)

    def _refused(self, name: str, why: str) -> ZooError:
        return ZooError(f"{self.path} is refused because of its entry '{name}': {why}. Pack its images anew.")


def tree(path: Path) -> Tree:
    """A `FolderTree` for a folder, a `ZipTree` for a file."""
    return FolderTree(path) if path.is_dir() else ZipTree(path)


def name_of(info: zipfile.ZipInfo) -> str:
    """The path of a zip's entry, with the forward slashes that Windows' archivers may not write.

    Names in UTF-8 that are not flagged as such, as macOS writes them, are told by being valid.
    """
    name = info.filename
    if not info.flag_bits & UTF_8_NAMES and not name.isascii():
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def leads_somewhere(link: str) -> bool:
    """Whether there is a file or folder at the end of a link; one in a circle has none."""
    try:
        os.stat(link)  # noqa: PTH116  a path of os.scandir
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        return False
    return True


def _ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in JUNK
