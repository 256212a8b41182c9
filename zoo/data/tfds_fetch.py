"""TFDS' download and preparation, with every failure as one sentence that says what to do."""

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.backend import prepare
from zoo.data import tfds_preflight
from zoo.data.directory import data_directory
from zoo.data.tfds_quiet import imported_tfds, quiet
from zoo.errors import ZooError

RETRIES = 2  # of each download; TFDS' own 10 wait for 204 seconds when there is no network


def fetch(builder: Any, directory: Path, name: str) -> None:
    """Prepares `builder` below `directory` unless it is; `name` is what the user asked for, to be asked for again."""
    tfds = imported_tfds()
    with quiet():
        if builder.is_prepared():
            return
        downloads = directory / "downloads"
        command = f"zoo run dcgan --dataset {shlex.quote(name)}{_option(directory)}"
        again = f"Then run the same command again, for example:\n  {command}"
        tfds_preflight.check(builder, downloads, again)
        prepare()  # TensorFlow, which TFDS would import in its own noisy time
        try:
            with _few_retries():
                builder.download_and_prepare(
                    download_dir=downloads,
                    # Without this TFDS asks Google's storage for a prepared copy first.
                    download_config=tfds.download.DownloadConfig(try_download_gcs=False),
                )
        except Exception as error:
            raise _explained(error, builder, downloads, again) from error


def _option(directory: Path) -> str:
    return "" if directory == data_directory() else f" --data-dir {shlex.quote(str(directory))}"


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


def _explained(error: Exception, builder: Any, downloads: Path, again: str) -> ZooError:
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    if not isinstance(error, NonMatchingChecksumError):
        return ZooError(f"TFDS cannot prepare {builder.name}: {type(error).__name__}: {error}")
    wrong = [file for file in tfds_preflight.expected_files(builder) if file.url in str(error)]
    return ZooError(
        f"{builder.name}: a file differs from the one that TFDS knows. A download that is over its quota (Google "
        "Drive answers with a page instead of the file) and a repacked copy look so. "
        f"Put the original into {downloads / 'manual'}:\n{tfds_preflight.listed(wrong)}\n{again}"
    )
