"""Any image dataset of TFDS: which features, split and size to read, and the stream of resized images."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.backend import prepare
from zoo.catalogue import DatasetEntry
from zoo.data import tfds_features
from zoo.data.tfds_fetch import fetch
from zoo.data.tfds_quiet import imported_tfds, quiet
from zoo.data.writer import Contents
from zoo.errors import ZooError

BATCH = 256  # images decoded and resized at once
RESIZE = "bicubic, antialiased"


def tfds_source(
    entry: DatasetEntry, known: Iterable[str], directory: Path, image_size: int | None, split: str
) -> "TfdsSource":
    """The source behind a catalogue's entry; `known` are the catalogue's names, for the error about an unknown one."""
    builder = tfds_features.found_builder(entry.tfds or entry.name, known, directory)
    image_key = entry.image_key or tfds_features.image_key(builder)
    tfds_features.checked_image(builder, image_key)
    label_key = entry.label_key or tfds_features.label_key(builder)
    if label_key:
        tfds_features.checked_label(builder, label_key)
    return TfdsSource(
        builder=builder,
        directory=directory,
        image_key=image_key,
        label_key=label_key,
        crop=entry.crop,
        size=image_size or entry.image_size or tfds_features.native_size(builder, image_key, entry.crop),
        split=split,
        wanted=wanted_splits(entry, split),
        asked_for=entry.name,
    )


def wanted_splits(entry: DatasetEntry, split: str) -> tuple[str, ...]:
    """The TFDS splits that would do, the best first."""
    chosen = entry.train if split == "train" else entry.test
    return (chosen,) if chosen else ("train",) if split == "train" else ("test", "validation")


@dataclass(frozen=True)
class TfdsSource:
    """One split of one builder, at one size; `wanted` holds the TFDS splits that would do, the best first."""

    builder: Any
    directory: Path
    image_key: str
    label_key: str | None
    crop: int | None
    size: int
    split: str
    wanted: tuple[str, ...]
    asked_for: str

    @property
    def name(self) -> str:
        """The builder's name, with its config."""
        config = self.builder.builder_config
        return f"{self.builder.name}-{config.name}" if config else str(self.builder.name)

    @property
    def slug(self) -> str:
        """`celeb_a-2.1.0-train-64px-crop140`."""
        crop = f"-crop{self.crop}" if self.crop else ""
        return f"{self.name}-{self.builder.version}-{self.split}-{self.size}px{crop}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that changes the images."""
        return {
            "source": f"TFDS {self.builder.info.full_name}",
            "split": self.expression,
            "image_key": self.image_key,
            "label_key": self.label_key,
            "crop": self.crop,
            "image_size": self.size,
            "resize": RESIZE,
        }

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(H, W, C), known before anything is prepared."""
        channels = tfds_features.features(self.builder)[self.image_key].shape[-1]
        return (self.size, self.size, channels)

    @property
    def native_size(self) -> int | None:
        """The side of the centre square before it is resized, where all images have the same."""
        height, width, _ = tfds_features.features(self.builder)[self.image_key].shape
        return self.crop or (min(height, width) if height and width else None)

    @property
    def classes(self) -> int | None:
        """How many classes the labels have, as far as the features say before anything is prepared."""
        label = tfds_features.features(self.builder)[self.label_key] if self.label_key else None
        return getattr(label, "num_classes", None)

    @property
    def expression(self) -> str:
        """The TFDS split to read; before preparation TFDS knows of none, and the first wanted one is taken."""
        splits = self.builder.info.splits
        found = (wanted for wanted in self.wanted if not splits or _has(splits, wanted))
        if expression := next(found, None):
            return expression
        raise ZooError(
            f"{self.builder.info.full_name} has no split {' or '.join(self.wanted)}. Available: {', '.join(splits)}. "
            f"Name one as `{self.split}` of the dataset in registry.yaml, such as `train[90%:]`."
        )

    def prepare(self) -> None:
        """Downloads and prepares with TFDS; raises ZooError naming the missing files when there is no network."""
        fetch(self.builder, self.directory, self.asked_for)

    def contents(self) -> Contents:
        """Decodes, crops and resizes the images of the split, in the order that TFDS stored them."""
        prepare()
        batches = self._batches()
        first, _ = next(self._batches())
        count = self.builder.info.splits[self.expression].num_examples
        label = tfds_features.features(self.builder)[self.label_key] if self.label_key else None
        return Contents(
            shape=(count, *first.shape[1:]),
            dtype=np.uint8,
            batches=batches,
            class_names=tuple(getattr(label, "names", None) or ()),
            native_size=self.size == self.native_size,
            description={**self.identity, "count": count, "tfds": imported_tfds().__version__},
        )

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        import tensorflow as tf

        try:
            for samples, labels in self._images().as_numpy_iterator():
                yield samples, labels if self.label_key else None
        except (tf.errors.OpError, NotImplementedError) as error:
            raise ZooError(
                f"Cannot read {self.builder.info.full_name}: {getattr(error, 'message', error)}\n"
                f"If its files are damaged, delete {self.builder.data_path} and run the same command again."
            ) from error

    def _images(self) -> Any:
        tfds = imported_tfds()
        keys = {key: True for key in (self.image_key, self.label_key) if key}
        with quiet():
            examples = self.builder.as_dataset(
                split=self.expression,
                shuffle_files=False,
                decoders=tfds.decode.PartialDecoding(keys),
                # One file after the other: the order of rows must not depend on threads.
                read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
            )
        return examples.map(self._example, num_parallel_calls=4, deterministic=True).batch(BATCH).prefetch(2)

    def _example(self, example: Mapping[str, Any]) -> tuple[Any, Any]:
        import tensorflow as tf

        label = example[self.label_key] if self.label_key else tf.constant(-1, tf.int64)
        return _square(example[self.image_key], self.crop, self.size), tf.cast(label, tf.int64)


def _has(splits: Any, expression: str) -> bool:
    """Whether TFDS can read the expression, such as `train[:90%]+test`."""
    try:
        return splits[expression].num_examples > 0
    except (KeyError, ValueError):
        return False


def _square(image: Any, crop: int | None, size: int) -> Any:
    """The centre square of side `crop` (None: of the shorter side) as uint8 (size, size, C)."""
    import tensorflow as tf

    height, width = tf.shape(image)[0], tf.shape(image)[1]
    shorter = tf.minimum(height, width)
    side = crop or shorter
    tf.debugging.assert_less_equal(side, shorter, message=f"an image is smaller than the crop of {crop} pixels")
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    resized = tf.image.resize(square, (size, size), method="bicubic", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)
