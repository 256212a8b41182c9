"""Checks before a TFDS download that its files or its hosts are reachable: TFDS would wait for minutes without them."""

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

TIMEOUT = 1.5  # seconds for all hosts together
LISTED = 10  # files in an error message
MANUAL = "manual"  # the folder in which TFDS looks for files that the user downloaded
PORTS = {"http": 80, "https": 443, "ftp": 21}


@dataclass(frozen=True)
class ExpectedFile:
    """A file that TFDS downloads, unless the manual folder has one of this name."""

    name: str
    url: str
    size: int  # bytes
    sha256: str

    @property
    def downloaded_name(self) -> str:
        """The file's name in TFDS' download folder."""
        from tensorflow_datasets.core.download import resource

        return str(resource.get_dl_fname(self.url, self.sha256))


def expected_files(builder: Any) -> list[ExpectedFile]:
    """The files that TFDS has recorded for all configs of this builder; [] for a builder that downloads nothing."""
    return [
        ExpectedFile(info.filename or Path(urllib.parse.urlparse(url).path).name, url, int(info.size), info.checksum)
        for url, info in (builder.url_infos or {}).items()
    ]


def missing_files(builder: Any, downloads: Path) -> list[ExpectedFile]:
    """The expected files that are neither in the manual folder nor downloaded."""
    return [file for file in expected_files(builder) if not _is_there(file, builder, downloads)]


def has_originals(builder: Any, folder: Path) -> bool:
    """Whether a folder has, by name and size, all files that TFDS expects; any of them for several configs."""
    found = [_is_original(file, folder) for file in expected_files(builder)]
    return bool(found) and (all(found) or (any(found) and len(builder.BUILDER_CONFIGS) > 1))


def link(builder: Any, folder: Path, manual: Path) -> None:
    """Links the expected files of a folder into the manual folder, where TFDS looks for them; nothing is copied."""
    manual.mkdir(parents=True, exist_ok=True)
    for file in expected_files(builder):
        source, target = (folder / file.name).resolve(), manual / file.name
        if not source.is_file() or (target.exists() and target.samefile(source)):
            continue
        target.unlink(missing_ok=True)  # removes a dangling link, or another file of that name
        try:
            target.symlink_to(source)
        except OSError:  # symbolic links need a privilege on Windows
            os.link(source, target)


def check(builder: Any, downloads: Path, again: str) -> None:
    """Raises ZooError where a manual file differs from the expected one, or files are missing and no host responds."""
    files = expected_files(builder)
    _check_sizes(files, downloads, again)
    missing = missing_files(builder, downloads)
    if not missing or any_host_responds(file.url for file in missing):
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
    """Instructions for the user: the files that TFDS needs, where to put them, and the command `again` to run then."""
    if not files:
        return f"Run again: {again}"
    manual = downloads / MANUAL
    return (
        f"Put these files into {manual}:\n{listed(files)}\nThen run\n  {again}\n"
        f"or, wherever they are (they are linked, not copied; a repacked copy will do):\n  {again} --from FOLDER"
    )


def listed(files: list[ExpectedFile]) -> str:
    """One line for each of the first ten files, with size, sha256 and URL, and how many more there are."""
    lines = [f"  {file.name} ({file.size:,} bytes, sha256 {file.sha256}) from {file.url}" for file in files[:LISTED]]
    rest = len(files) - LISTED
    return "\n".join([*lines, f"  and {rest} more"] if rest > 0 else lines)


def any_host_responds(urls: Iterable[str], timeout: float = TIMEOUT) -> bool:
    """Whether at least one of the hosts (or of the proxies before them) accepts a connection within `timeout`."""
    responses: list[bool] = []
    addresses = {_address(url) for url in urls}
    # The threads are daemons: a DNS query cannot be cancelled, and must not delay the end of the program.
    threads = [threading.Thread(target=_probe, args=(*each, timeout, responses), daemon=True) for each in addresses]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout
    while not responses and time.monotonic() < deadline and any(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    return bool(responses)


def _check_sizes(files: list[ExpectedFile], downloads: Path, again: str) -> None:
    """Compares sizes, since hashing CelebA's archive would take seconds; raises ZooError where one differs."""
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
    """The host and port to connect to: the proxy's, where the environment sets one for this URL."""
    parts = urllib.parse.urlparse(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urllib.parse.urlparse(proxy if "//" in proxy else f"//{proxy}", scheme="http")
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)


def _probe(host: str, port: int, timeout: float, responses: list[bool]) -> None:
    """Tries to connect; appends True to `responses` where that succeeds."""
    try:
        socket.create_connection((host, port), timeout=timeout).close()
    except (OSError, UnicodeError):
        return
    responses.append(True)
