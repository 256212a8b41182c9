"""Pictures of CelebA's size, made from their numbers: as a folder of JPEG files, a zip, a data set of TFDS, an .npz."""

import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

HEIGHT, WIDTH = 218, 178  # pixels of CelebA's aligned images
ATTRIBUTES = tuple(f"attribute_{number:02d}" for number in range(40))  # CelebA has 40 attributes
QUALITY = 75  # JPEG quality, at which files have about 7 kB, as CelebA's do
TEST = 64  # images of the test split
GRIDS = ((3, 60.0), (8, 45.0), (24, 22.0), (80, 9.0))  # (cells across, deviation) of each layer of smoothed noise
TOGETHER = 50  # files that a process writes for each task
COUNTS = (300, 1_200, 5_000, 20_000, 60_000)  # images of the training splits, one config each


def picture(number: int) -> Image.Image:
    """Noise in four sizes of grain, coarser grain being stronger, as in photographs."""
    generator = np.random.default_rng(number)
    pixels = np.full((HEIGHT, WIDTH, 3), 128.0, np.float32)
    for cells, deviation in GRIDS:
        grain = generator.normal(0.0, deviation, (cells * HEIGHT // WIDTH, cells))
        tint = generator.normal(1.0, 0.3, 3)
        layer = Image.fromarray(grain.astype(np.float32)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        pixels += np.asarray(layer)[..., None] * tint
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def write_files(folder: Path, count: int) -> None:
    """Writes `count` JPEG files, on all cores."""
    folder.mkdir(parents=True)
    starts = range(0, count, TOGETHER)
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        list(processes.map(partial(write_some, folder, count), starts))


def write_some(folder: Path, count: int, start: int) -> None:
    """Writes some of the JPEG files, in one process."""
    for number in range(start, min(start + TOGETHER, count)):
        picture(number).save(folder / f"{number:06d}.jpg", quality=QUALITY)


def write_zip(path: Path, folder: Path) -> None:
    """Zips the folder's files without compression, since they are JPEGs."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)


def write_npz(path: Path, folder: Path, count: int, size: int, packed: bool) -> None:
    """Writes an .npz with `samples`, uint8 (count, size, size, 3), in which the folder's pictures repeat."""
    with Image.open(min(folder.iterdir())) as image:
        some = [np.asarray(image.rotate(angle).resize((size, size))) for angle in range(0, 360, 4)]
    block = np.stack(some)
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with (
        zipfile.ZipFile(path, "w", method, compresslevel=1 if packed else None) as archive,
        archive.open("samples.npy", "w", force_zip64=True) as member,
    ):
        start = io.BytesIO()
        np.lib.format.write_array_header_1_0(start, header)
        member.write(start.getvalue())
        for done in range(0, count, len(block)):
            member.write(block[: count - done].tobytes())


class FacesConfig(tfds.core.BuilderConfig):
    """A config with a number of training images."""

    def __init__(self, count: int) -> None:
        super().__init__(name=str(count))
        self.count = count


class Faces(tfds.core.GeneratorBasedBuilder):
    """A TFDS dataset with CelebA's features and synthetic contents; JPEG files of the manual folder repeat."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Made by benchmarks.data."
    BUILDER_CONFIGS = tuple(FacesConfig(count) for count in COUNTS)

    def _info(self) -> Any:
        image = tfds.features.Image(shape=(HEIGHT, WIDTH, 3), encoding_format="jpeg")
        attributes = tfds.features.FeaturesDict(dict.fromkeys(ATTRIBUTES, np.bool_))
        features = tfds.features.FeaturesDict({"image": image, "attributes": attributes})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        files = sorted(Path(dl_manager.manual_dir).iterdir())
        counts = {"train": self.builder_config.count, "test": TEST}
        return {split: self._generate_examples(files, count) for split, count in counts.items()}

    def _generate_examples(self, files: Sequence[Path], count: int) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in range(count):
            bits = np.random.default_rng(number).random(len(ATTRIBUTES)) < 0.5
            attributes = dict(zip(ATTRIBUTES, bits, strict=True))
            yield number, {"image": str(files[number % len(files)]), "attributes": attributes}


def prepare_records(data_directory: Path, files: Path, count: int) -> None:
    """Writes TFDS' records of `count` images below its data directory."""
    config = tfds.download.DownloadConfig(manual_dir=files, try_download_gcs=False)
    tfds.disable_progress_bar()
    builder = tfds.builder(f"faces/{count}", data_dir=data_directory)
    builder.download_and_prepare(download_config=config)
