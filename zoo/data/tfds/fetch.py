"""Download and preparation by TFDS, whose failures become ZooErrors that say what to do."""

import contextlib
import shlex
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.backend import prepare
from zoo.base.threads import in_background
from zoo.data.prepared.directory import check_space, data_directory, folder_bytes
from zoo.data.sources.contract import Reporter
from zoo.data.tfds import preflight
from zoo.data.tfds.quiet import imported_tfds, quiet
from zoo.errors import ZooError

RETRIES = 2  # attempts for each download; TFDS' default of 10 waits for 204 seconds when there is no network
HEARTBEAT = 15  # seconds between progress lines
MEGABYTE = 10**6


def fetch(builder: Any, directory: Path, name: str, files: Path | None, progress: Reporter) -> None:
    """Prepares `builder` below `directory` unless it is; `name` is the dataset's, for commands in error messages.

    `files` is a folder with the files that TFDS would download; they are linked, not copied.
    """
    tfds = imported_tfds()
    with quiet():
        if builder.is_prepared():
            if not builder.info.splits:  # another process prepared it after this builder was made
                builder.info.read_from_directory(builder.data_path)
            return
        downloads = directory / "downloads"
        again = f"zoo data prepare {shlex.quote(name)}{_option(directory)}"
        _remove_torn(builder, downloads)
        if files:
            preflight.link(builder, files, downloads / preflight.MANUAL)
        preflight.check(builder, downloads, again)
        _check_space(builder, directory, downloads)
        prepare()  # imports TensorFlow quietly before TFDS does so
        try:
            with _few_retries(), _heartbeat(builder, directory, progress):
                builder.download_and_prepare(
                    download_dir=downloads,
                    # By default TFDS first tries to get a prepared copy from Google's storage.
                    download_config=tfds.download.DownloadConfig(try_download_gcs=False),
                )
        except Exception as error:
            raise _explained(error, builder, downloads, again) from error


def _option(directory: Path) -> str:
    return "" if directory == data_directory() else f" --data-dir {shlex.quote(str(directory))}"


def _remove_torn(builder: Any, downloads: Path) -> None:
    """Removes what a killed preparation of this builder left; the lock keeps other processes from writing it."""
    from tensorflow_datasets.core import constants

    for torn in Path(builder.data_path).parent.glob(f"{constants.INCOMPLETE_PREFIX}*"):
        shutil.rmtree(torn, ignore_errors=True)
    for file in preflight.expected_files(builder):
        for folder in (downloads, downloads / builder.name):
            for torn in folder.glob(f"{file.downloaded_name}.tmp.*"):
                shutil.rmtree(torn, ignore_errors=True)


def _check_space(builder: Any, directory: Path, downloads: Path) -> None:
    """Raises ZooError where the disk lacks space for the missing downloads and, about as much again, TFDS' records."""
    files = preflight.expected_files(builder)
    single = len(builder.BUILDER_CONFIGS) <= 1  # with several, TFDS lists the files of all configs together
    if single:
        missing = sum(file.size for file in preflight.missing_files(builder, downloads))
        records = int(builder.info.dataset_size) or sum(file.size for file in files)
        directory.mkdir(parents=True, exist_ok=True)
        check_space(directory, missing + records, f"TFDS' own files of {builder.name}")


@contextlib.contextmanager
def _few_retries() -> Iterator[None]:
    # TFDS has no setting for the number of retries.
    from tensorflow_datasets.core.download import downloader

    before = downloader.MAX_RETRIES
    downloader.MAX_RETRIES = RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = before


@contextlib.contextmanager
def _heartbeat(builder: Any, directory: Path, progress: Reporter) -> Iterator[None]:
    """Reports every 15 seconds how much TFDS has written, since its own progress bars do not show in a log."""
    folders = (directory / "downloads", directory / builder.name)
    before = sum(folder_bytes(folder) for folder in folders)

    def report(ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT):
            written = sum(folder_bytes(folder) for folder in folders) - before
            progress.note(f"TFDS prepares {builder.name}: {written / MEGABYTE:,.0f} MB written")

    progress.note(f"TFDS prepares {builder.name} in {directory}")
    with in_background(report):
        yield


def _explained(error: Exception, builder: Any, downloads: Path, again: str) -> ZooError:
    from requests import RequestException
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    files = preflight.expected_files(builder)
    wrong = [file for file in files if file.url in str(error)]
    # Where a host refused one file, it will refuse the other missing ones too.
    rest = [file for file in preflight.missing_files(builder, downloads) if file not in wrong]
    how = preflight.how_to_provide([*wrong, *rest] or files, downloads, again)
    if isinstance(error, NonMatchingChecksumError):
        return ZooError(
            f"{builder.name}: a file differs from the one that TFDS knows. The reason may be a download "
            f"over its quota (Google Drive answers with a page instead of the file), or a repacked copy.\n{how}"
        )
    if isinstance(error, RequestException | ConnectionError | TimeoutError) or "Failed to get url" in str(error):
        return ZooError(f"{builder.name} cannot be downloaded: {error}\n{how}")
    if isinstance(error, OSError) and "disk space" in str(error):
        return ZooError(f"{error} Free some space or choose another folder with --data-dir DIR.")
    return ZooError(f"TFDS cannot prepare {builder.name}: {type(error).__name__}: {error}")
