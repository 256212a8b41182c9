"""Where data lives and what is prepared there, without NumPy, TensorFlow or TFDS."""

import json
import os
from pathlib import Path

META = "meta.json"


def data_directory(data_dir: Path | None = None) -> Path:
    """The given folder, else $TFDS_DATA_DIR, else ~/tensorflow_datasets, which TFDS itself uses."""
    chosen = data_dir or os.environ.get("TFDS_DATA_DIR") or Path("~/tensorflow_datasets")
    return Path(chosen).expanduser().absolute()


def prepared_root(data_dir: Path | None = None) -> Path:
    """The folder of prepared arrays: one subfolder for each combination of dataset, version, split, size and crop."""
    return data_directory(data_dir) / "zoo"


def prepared_datasets(data_dir: Path | None = None) -> list[tuple[str, str, int]]:
    """(name, description, bytes on disk) of every prepared array; a folder with an unreadable meta.json says so."""
    return [_summary(meta.parent) for meta in sorted(prepared_root(data_dir).glob(f"[!.]*/{META}"))]


def _summary(folder: Path) -> tuple[str, str, int]:
    size = sum(file.stat().st_size for file in folder.iterdir())
    try:
        meta = json.loads((folder / META).read_text())
        shape = " x ".join(str(length) for length in meta["shape"])
        return meta["name"], f"{meta['description']['source']}, {meta['description']['split']}, {shape}", size
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name, "unreadable: delete its folder and prepare it again", size
