"""TFDS' download and preparation, with every failure as one sentence that says what to do."""

import contextlib
import shlex
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.backend import prepare
from zoo.data.prepared.directory import check_space, data_directory, folder_bytes
from zoo.data.sources.contract import Reporter
from zoo.data.tfds import preflight
from zoo.data.tfds.quiet import imported_tfds, quiet
from zoo.errors import ZooError

RETRIES = 2  # of each download; TFDS' own 10 wait for 204 seconds when there is no network
HEARTBEAT = 15  # seconds between lines while TFDS works
MEGABYTE = 10**6


def fetch(builder: Any, directory: Path, name: str, files: Path | None, progress: Reporter) -> None:
    """Prepares `builder` below `directory` unless it is; `name` is what the user asked for, to be asked for again.

    `files` is a folder with the files that TFDS would download; they are linked, not copied.
    """
    tfds = imported_tfds()
    with quiet():
        if builder.is_prepared():
            if not builder.info.splits:  # another process has prepared it since this builder was made
                builder.info.read_from_directory(builder.data_path)
            return
        downloads = directory / "downloads"
        again = f"zoo data prepare {shlex.quote(name)}{_option(directory)}"
        _remove_torn(builder, downloads)
        if files:
            preflight.link(builder, files, downloads / preflight.MANUAL)
        preflight.check(builder, downloads, again)
        _check_space(builder, directory, downloads)
        prepare()  # TensorFlow, which TFDS would import in its own noisy time
        try:
            with _few_retries(), _heartbeat(builder, directory, progress):
                builder.download_and_prepare(
                    download_dir=downloads,
                    # Without this TFDS asks Google's storage for a prepared copy first.
                    download_config=tfds.download.DownloadConfig(try_download_gcs=False),
                )
        except Exception as error:
            raise _explained(error, builder, downloads, again) from error


def _option(directory: Path) -> str:
    return "" if directory == data_directory() else f" --data-dir {shlex.quote(str(directory))}"


def _remove_torn(builder: Any, downloads: Path) -> None:
    """Removes what a killed preparation of this builder left; nobody else writes it while we hold the lock."""
    from tensorflow_datasets.core import constants

    for torn in Path(builder.data_path).parent.glob(f"{constants.INCOMPLETE_PREFIX}*"):
        shutil.rmtree(torn, ignore_errors=True)
    for file in preflight.expected_files(builder):
        for folder in (downloads, downloads / builder.name):
            for torn in folder.glob(f"{file.downloaded_name}.tmp.*"):
                shutil.rmtree(torn, ignore_errors=True)


def _check_space(builder: Any, directory: Path, downloads: Path) -> None:
    """Before a download of gigabytes: what is still missing, and about as much again for TFDS' own records."""
    files = preflight.expected_files(builder)
    single = len(builder.BUILDER_CONFIGS) <= 1  # else the files of all configs are listed together
    if single:
        missing = sum(file.size for file in preflight.missing_files(builder, downloads))
        records = int(builder.info.dataset_size) or sum(file.size for file in files)
        directory.mkdir(parents=True, exist_ok=True)
        check_space(directory, missing + records, f"TFDS' own files of {builder.name}")


@contextlib.contextmanager
def _few_retries() -> Iterator[None]:
    # TFDS has no setting for it.
    from tensorflow_datasets.core.download import downloader

    before = downloader.MAX_RETRIES
    downloader.MAX_RETRIES = RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = before


@contextlib.contextmanager
def _heartbeat(builder: Any, directory: Path, progress: Reporter) -> Iterator[None]:
    """Tells now and then how much TFDS has written, for its own bars are not seen in a log."""
    ended = threading.Event()
    folders = (directory / "downloads", directory / builder.name)
    before = sum(folder_bytes(folder) for folder in folders)

    def tell() -> None:
        while not ended.wait(HEARTBEAT):
            written = sum(folder_bytes(folder) for folder in folders) - before
            progress.note(f"TFDS prepares {builder.name}: {written / MEGABYTE:,.0f} MB written")

    progress.note(f"TFDS prepares {builder.name} in {directory}")
    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _explained(error: Exception, builder: Any, downloads: Path, again: str) -> ZooError:
    from requests import RequestException
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    files = preflight.expected_files(builder)
    wrong = [file for file in files if file.url in str(error)]
    # After one file was refused by its host the others will be too.
    rest = [file for file in preflight.missing_files(builder, downloads) if file not in wrong]
    how = preflight.how_to_provide([*wrong, *rest] or files, downloads, again)
    if isinstance(error, NonMatchingChecksumError):
        return ZooError(
            f"{builder.name}: a file differs from the one that TFDS knows. A download that is over its quota (Google "
            f"Drive answers with a page instead of the file) and a repacked copy look so.\n{how}"
        )
    if isinstance(error, RequestException | ConnectionError | TimeoutError) or "Failed to get url" in str(error):
        return ZooError(f"{builder.name} cannot be downloaded: {error}\n{how}")
    if isinstance(error, OSError) and "disk space" in str(error):
        return ZooError(f"{error} Free some space or choose another folder with --data-dir DIR.")
    return ZooError(f"TFDS cannot prepare {builder.name}: {type(error).__name__}: {error}")
