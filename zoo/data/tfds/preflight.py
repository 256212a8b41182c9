"""A look at what a TFDS download needs before it starts: TFDS alone would wait for minutes without a network."""

import os
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import ZooError

PATIENCE = 1.5  # seconds for all hosts together
LISTED = 10  # files in a message
MANUAL = "manual"  # the folder in which TFDS looks for files that were not downloaded by it
PORTS = {"http": 80, "https": 443, "ftp": 21}


@dataclass(frozen=True)
class ExpectedFile:
    """A file that TFDS downloads, or takes from the manual folder when it is there under this name."""

    name: str
    url: str
    size: int  # bytes
    sha256: str

    @property
    def downloaded_name(self) -> str:
        """The name that TFDS gives it once it has downloaded it."""
        from tensorflow_datasets.core.download import resource

        return str(resource.get_dl_fname(self.url, self.sha256))


def expected_files(builder: Any) -> list[ExpectedFile]:
    """The files that TFDS has recorded for any config of this builder; none for a builder that downloads nothing."""
    return [
        ExpectedFile(info.filename or Path(urllib.parse.urlparse(url).path).name, url, int(info.size), info.checksum)
        for url, info in (builder.url_infos or {}).items()
    ]


def missing_files(builder: Any, downloads: Path) -> list[ExpectedFile]:
    """The expected files that are neither in the manual folder nor downloaded."""
    return [file for file in expected_files(builder) if not _is_there(file, builder, downloads)]


def has_originals(builder: Any, folder: Path) -> bool:
    """Whether a folder has, by name and size, the files that TFDS expects: all, or of several configs' files some."""
    found = [_is_original(file, folder) for file in expected_files(builder)]
    return bool(found) and (all(found) or (any(found) and len(builder.BUILDER_CONFIGS) > 1))


def link(builder: Any, folder: Path, manual: Path) -> None:
    """Links the expected files of a folder into the manual folder, where TFDS looks for them; nothing is copied."""
    manual.mkdir(parents=True, exist_ok=True)
    for file in expected_files(builder):
        source, target = (folder / file.name).resolve(), manual / file.name
        if not source.is_file() or (target.exists() and target.samefile(source)):
            continue
        target.unlink(missing_ok=True)  # a link that leads nowhere, or another file of that name
        try:
            target.symlink_to(source)
        except OSError:  # Windows asks for a privilege
            os.link(source, target)


def check(builder: Any, downloads: Path, again: str) -> None:
    """Raises ZooError when a manual file is another than TFDS expects, or files are missing and no host answers."""
    files = expected_files(builder)
    _check_sizes(files, downloads, again)
    missing = missing_files(builder, downloads)
    if not missing or any_host_answers(file.url for file in missing):
        return
    # TFDS records the files of all configs together: one config may need none of the missing ones.
    if len(missing) < len(files) and len(builder.BUILDER_CONFIGS) > 1:
        return
    hosts = ", ".join(sorted({urllib.parse.urlparse(file.url).hostname or file.url for file in missing}))
    raise ZooError(
        f"{builder.name} is not prepared, and there is no connection to {hosts}.\n"
        f"{how_to_provide(missing, downloads, again)}"
    )


def how_to_provide(files: list[ExpectedFile], downloads: Path, again: str) -> str:
    """The files that TFDS needs, where to put them, and the commands to run then."""
    if not files:
        return f"Run again: {again}"
    manual = downloads / MANUAL
    return (
        f"Put these files into {manual}:\n{listed(files)}\nThen run\n  {again}\n"
        f"or, wherever they are (they are linked, not copied; a repacked copy will do):\n  {again} --from FOLDER"
    )


def listed(files: list[ExpectedFile]) -> str:
    """One line for each file: name, size, sha256 and address."""
    lines = [f"  {file.name} ({file.size:,} bytes, sha256 {file.sha256}) from {file.url}" for file in files[:LISTED]]
    rest = len(files) - LISTED
    return "\n".join([*lines, f"  and {rest} more"] if rest > 0 else lines)


def any_host_answers(urls: Iterable[str], patience: float = PATIENCE) -> bool:
    """Whether at least one of the hosts (or of the proxies before them) takes a connection in `patience` seconds."""
    answers: list[bool] = []
    addresses = {_address(url) for url in urls}
    # Daemons, because a name look-up cannot be cancelled and must not hold up the end of the program.
    threads = [threading.Thread(target=_knock, args=(*each, patience, answers), daemon=True) for each in addresses]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience
    while not answers and time.monotonic() < deadline and any(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    return bool(answers)


def _check_sizes(files: list[ExpectedFile], downloads: Path, again: str) -> None:
    """A size is known at once; hashing CelebA's archive takes seconds."""
    for file in files:
        path = downloads / MANUAL / file.name
        # Two configs may have a file of the same name.
        sizes = {other.size for other in files if other.name == file.name}
        if path.exists() and path.stat().st_size not in sizes:
            raise ZooError(
                f"{path} holds {path.stat().st_size:,} bytes, but TFDS expects another file. Remove it, or replace "
                f"it by the original.\n{how_to_provide([file], downloads, again)}"
            )


def _is_original(file: ExpectedFile, folder: Path) -> bool:
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size


def _is_there(file: ExpectedFile, builder: Any, downloads: Path) -> bool:
    name = file.downloaded_name
    places = (downloads / MANUAL / file.name, downloads / builder.name / name, downloads / name)
    return any(place.exists() for place in places)


def _address(url: str) -> tuple[str, int]:
    """The host and port to knock at: the proxy's, where the environment sets one for this address."""
    parts = urllib.parse.urlparse(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urllib.parse.urlparse(proxy if "//" in proxy else f"//{proxy}", scheme="http")
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)


def _knock(host: str, port: int, patience: float, answers: list[bool]) -> None:
    try:
        socket.create_connection((host, port), timeout=patience).close()
    except (OSError, UnicodeError):
        return
    answers.append(True)
