"""Images as the files of other tools: NVlabs' folders and zips, ADM's .npz, TFRecord.

NVlabs   https://github.com/NVlabs/stylegan3/blob/main/dataset_tool.py: 00000/img00000000.png ... and dataset.json,
         whose `labels` are [file, number] of every image, or null
ADM      https://github.com/openai/guided-diffusion/tree/main/evaluations: `arr_0`, uint8 (N, H, W, C), and `arr_1`,
         the labels (N,)
TFRecord see zoo.data.tfrecords
"""

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.base.files import atomic_file, whole_folder
from zoo.data.images import as_png
from zoo.data.tfrecords import record_file
from zoo.errors import ZooError

NVLABS, ADM, TFRECORD = FORMATS = ("nvlabs", "adm", "tfrecord")
ENDINGS = {ADM: ".npz", TFRECORD: ".tfrecord"}  # that a file of the format must have
ZIP = ".zip"
DIGITS = 8  # of an image's number in NVlabs' names, the first five of which are its folder's
LABELS = "dataset.json"


def write_images(
    images: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[str],
    place: Path,
    kind: str,
    counting: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write uint8 images (N, H, W, C) as a kind of FORMATS; raises ZooError where they or the place do not fit it."""
    if images.ndim != 4 or images.dtype != np.uint8:
        raise ZooError(f"The format {kind} is for images, and these samples are points. Write an .npy.")
    if place.suffix != ENDINGS.get(kind, place.suffix):
        raise ZooError(f"A file of the format {kind} ends in {ENDINGS[kind]}; received {place}.")
    check_free(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    {NVLABS: write_nvlabs, ADM: write_adm, TFRECORD: write_records}[kind](images, labels, class_names, place, counting)


def check_free(place: Path) -> None:
    """Raise ZooError for a file, and for a folder that holds something."""
    if place.exists() and (place.is_file() or any(place.iterdir())):
        raise ZooError(f"{place} exists: choose another place, or remove it.")


def write_pngs(images: np.ndarray, names: Sequence[str], place: Path) -> None:
    """Write uint8 images (N, H, W, C) as NAME.png into a new folder."""
    check_free(place)
    with whole_folder(place) as folder:
        for image, name in zip(images, names, strict=True):
            (folder / f"{name}.png").write_bytes(as_png(image))


def write_nvlabs(images: Any, labels: Any, _: Sequence[str], place: Path, counting: Callable[[int, int], None]) -> None:
    """A zip, not packed since PNG is, or a folder; it has its name once it is whole."""
    check_channels(images)
    names = [f"{number:0{DIGITS}}" for number in range(len(images))]
    files = [f"{name[:5]}/img{name}.png" for name in names]
    of_files = None if labels is None else [[file, int(label)] for file, label in zip(files, labels, strict=True)]
    content = json.dumps({"labels": of_files}).encode()
    if place.suffix == ZIP:
        with atomic_file(place) as file:
            write_zip(images, files, content, file, counting)
        return
    with whole_folder(place) as scratch:
        for number, name in enumerate(files):
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(as_png(images[number]))
            counting(number + 1, len(files))
        (scratch / LABELS).write_bytes(content)


def write_zip(
    images: Any, files: Sequence[str], labels: bytes, file: IO[bytes], counting: Callable[[int, int], None]
) -> None:
    """A zip of NVlabs' files."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, name in enumerate(files):
            archive.writestr(undated(name), as_png(images[number]))
            counting(number + 1, len(files))
        archive.writestr(undated(LABELS), labels)


def undated(name: str) -> zipfile.ZipInfo:
    """An entry of a zip with the same date whenever it is written, so that the same images make the same bytes."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o644 << 16  # read by all, written by its owner
    return entry


def check_channels(images: np.ndarray) -> None:
    """Raise ZooError for images that NVlabs' tools do not read."""
    if images.shape[1] != images.shape[2] or images.shape[3] not in (1, 3):
        raise ZooError(
            f"NVlabs' tools read square images of 1 or 3 channels; these are {images.shape[1:]}. Prepare them with "
            "--channels 3."
        )


def write_adm(images: Any, labels: Any, _: Sequence[str], place: Path, counting: Callable[[int, int], None]) -> None:
    """RGB images, gray ones with three equal channels."""
    if images.shape[3] not in (1, 3):
        raise ZooError(f"ADM's evaluation reads RGB images; these have {images.shape[3]} channels: --channels 3.")
    rgb = np.broadcast_to(images, (*images.shape[:3], 3))
    arrays = {"arr_0": rgb} if labels is None else {"arr_0": rgb, "arr_1": np.asarray(labels, "int64")}
    with atomic_file(place) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    counting(len(images), len(images))


def write_records(
    images: Any, labels: Any, class_names: Sequence[str], place: Path, counting: Callable[[int, int], None]
) -> None:
    """A record for each image; without labels its class is 0 and has no name."""
    with record_file(place) as write:
        for number, image in enumerate(images):
            label = 0 if labels is None else int(labels[number])
            name = class_names[label] if labels is not None and class_names else ""
            write(np.asarray(image), label, name, False)
            counting(number + 1, len(images))
