"""TFDS' download and preparation, with a look beforehand at what is missing."""
from pathlib import Path
from typing import Any
from zoo.data.tfds_quiet import imported_tfds, quiet

def fetch(builder: Any, directory: Path, name: str) -> None:
    tfds = imported_tfds()
    with quiet():
        if not builder.is_prepared():
            builder.download_and_prepare(download_dir=directory/"downloads", download_config=tfds.download.DownloadConfig(try_download_gcs=False))
