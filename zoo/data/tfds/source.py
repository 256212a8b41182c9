"""Reads any image dataset of TFDS as a stream of cropped and resized images with labels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.backend import prepare
from zoo.catalogue import DatasetEntry
from zoo.data import images
from zoo.data.options import READING, WHOLE, WITHOUT_LABELS, DataOptions, attributes_in
from zoo.data.prepared.directory import prepared_root
from zoo.data.prepared.finding import check_tensorflow
from zoo.data.sources.contract import Batches, Contents, OtherField, Reporter, Source
from zoo.data.sources.copies import Copy
from zoo.data.sources.domains import divided
from zoo.data.sources.local import local_source
from zoo.data.splits import Part, Selection, Splits
from zoo.data.tfds import builder_features, preflight
from zoo.data.tfds.fetch import fetch
from zoo.data.tfds.pixels import RESIZE, Preprocessing
from zoo.data.tfds.quiet import imported_tfds, quiet
from zoo.errors import ZooError, unknown
from zoo.hookspecs import hookimpl

BATCH = 256  # images that are resized or written at once, at most
RESIZED_BYTES = 2**24  # bytes that the images resized at once take as float32, at most
AHEAD = 2  # batches that are prefetched


@hookimpl
def source(
    dataset: DatasetEntry,
    options: DataOptions,
    files: Path | None,
    unreadable: float,
    data_dir: Path,
    known_datasets: Sequence[str],
    progress: Reporter,
) -> Source:
    """A dataset that TFDS reads; where `files` are not those that it knows, their images as a copy of that dataset."""
    if files is None:
        check_tensorflow(dataset, prepared_root(data_dir))
    found = tfds_source(dataset, known_datasets, data_dir, options, files)
    if files is None or preflight.has_originals(found.builder, files):
        return found
    local = local_source(files, replace(options, image_key=None), unreadable)
    progress.note(f"{files} does not hold the files that TFDS knows; its images are taken as a copy of {dataset.name}.")
    return Copy(local, found.builder)


def tfds_source(
    entry: DatasetEntry, known: Iterable[str], directory: Path, options: DataOptions, files: Path | None
) -> "TfdsSource":
    """The TFDS source of a catalogue's entry; `known` are the catalogue's names, for the error about an unknown one."""
    refused = [name for name in READING if name not in ("source_from", "source_size")]
    options.refuse(f"TFDS knows how it stores '{entry.name}'", *refused)
    builder = builder_features.found_builder(entry.reference, known, directory)
    image = builder_features.checked_image(
        builder, options.image_key or builder_features.image_key(builder, entry.reference)
    )
    label = (
        ",".join(options.attributes)
        or options.label
        or (builder_features.label_key(builder) if options.source_from is None else None)
    )
    if label == WITHOUT_LABELS and WITHOUT_LABELS not in builder_features.features(builder):
        label = None
    return TfdsSource(
        builder=builder,
        directory=directory,
        entry=entry,
        options=options,
        image_key=image,
        label_key=builder_features.checked_labels(builder, label) if label else None,
        files=files,
    )


@dataclass(frozen=True)
class TfdsSource(Source):
    """The image feature and, unless `label_key` is None, the label feature of one TFDS builder."""

    builder: Any
    directory: Path
    entry: DatasetEntry
    options: DataOptions
    image_key: str
    label_key: str | None  # of several attributes their paths, separated by commas
    files: Path | None = None  # a folder with the files that TFDS would download

    @property
    def name(self) -> str:
        return str(self.builder.info.full_name).replace("/", "-")

    @property
    def lock(self) -> str:
        """The builder's name alone, since its configs share downloads."""
        return str(self.builder.name)

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings that change the stored images or labels."""
        return {
            "source": f"TFDS {self.builder.info.full_name}",
            "image_key": self.image_key,
            "label": self.label_key,
            "crop": self.options.crop,
            "image_size": self.options.image_size or self.native_size,
            "channels": self.channels,
            "resize": RESIZE,
            **{
                name: value
                for name in ("source_from", "source_size")
                if (value := getattr(self.options, name)) is not None
            },
        }

    @property
    def native_size(self) -> int | None:
        """The side in pixels of the centre square before resizing; None where images differ in size."""
        return builder_features.native_size(self.builder, self.image_key, self.options.side)

    @property
    def size(self) -> int:
        """The side in pixels to store; raises ZooError where images differ in size and none was chosen."""
        size = self.options.image_size or self.native_size
        if size is None:
            raise ZooError(f"The images of {self.builder.name} have different sizes: choose one with --image-size 64")
        return size

    @property
    def channels(self) -> int:
        return self.options.channels or builder_features.natural_channels(self.builder, self.image_key)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(H, W, C), known before anything is prepared."""
        return (self.size, self.size, self.channels)

    @property
    def classes(self) -> int | None:
        """The number of classes, known before anything is prepared; None where the features don't say."""
        if self.label_key is None or attributes_in(self.label_key):
            return None
        feature = builder_features.features(self.builder)[self.label_key]
        return getattr(feature, "num_classes", None) or len(builder_features.names_of(feature, self.label_key)) or None

    def is_at_hand(self) -> bool:
        """Whether TFDS had prepared the dataset when the builder was made."""
        with quiet():
            return bool(self.builder.info.splits and self.builder.is_prepared())

    def prepare(self, progress: Reporter) -> None:
        """Downloads and prepares with TFDS; raises ZooError, with the missing files, where there is no network."""
        _ = self.size, self._cropped  # raise an error about the size before the download
        fetch(self.builder, self.directory, self.entry.name, self.files, progress)

    def splits(self) -> Splits:
        return self._splits_of(self._domains()[0])

    def _splits_of(self, names: Mapping[str, str]) -> Splits:
        """Splits with their counts, each by the name that TFDS gives it."""
        infos = self.builder.info.splits
        counts = {split: infos[name].num_examples for split, name in names.items()}
        return Splits(counts, self.builder.info.full_name)

    def _domains(self) -> tuple[dict[str, str], dict[str, str]]:
        """TFDS' names of the splits of samples, and of the field `source`: {"train": "trainB"}, {"train": "trainA"}.

        All are the samples' where no source is asked for. Raises ZooError where there are not two such domains.
        """
        names = list(self.builder.info.splits)
        wanted = self.options.source_from
        if wanted is None:
            if self.options.source_size:
                raise ZooError("--source-size is that of the field source: say --source-from too.")
            return {name: name for name in names}, {}
        found: dict[str, dict[str, str]] = {}
        for each in names:
            split, domain = divided(each)
            if split:
                found.setdefault(domain.lower(), {})[split[0]] = each
        name = self.builder.info.full_name
        if not found:
            raise ZooError(
                f"{name} has no splits of two domains, such as trainA and trainB: --source-from means nothing for it. "
                f"Its splits: {', '.join(names)}."
            )
        if wanted.lower() not in found:
            raise unknown(f"domain of {name}", wanted, found)
        if len(found) != 2:
            raise ZooError(f"Expected two domains in {name}; found {', '.join(sorted(found))}.")
        return next(each for domain, each in found.items() if domain != wanted.lower()), found[wanted.lower()]

    def contents(self, selection: Selection) -> Contents:
        """The selected images, decoded, cropped and resized, in the order in which TFDS stores them."""
        prepare()
        others, said = self._source(selection)
        return Contents(
            shape=(selection.count, *self.sample_shape),
            dtype=np.uint8,
            batches=self._batches(selection, self._domains()[0]),
            class_names=self._class_names(),
            defaults={
                "image_size": self.native_size,
                "channels": builder_features.natural_channels(self.builder, self.image_key),
                "label": builder_features.label_key(self.builder),
                "image_key": self._default_image_key(),
            },
            resolved={
                "image_size": self.size,
                "channels": self.channels,
                "label": self.label_key,
                "image_key": self.image_key,
            },
            description={"resize": RESIZE, "tfds": imported_tfds().__version__},
            read=[*([self._cropped] if self._cropped else []), *said],
            others=others,
            labels_from=builder_features.label_names(self.builder),
        )

    def _class_names(self) -> tuple[str, ...]:
        """Of the label's classes, or the names of several attributes."""
        if several := attributes_in(self.label_key):
            return tuple(each.rpartition("/")[2] for each in several)
        found = builder_features.features(self.builder)
        return builder_features.names_of(found[self.label_key], self.label_key) if self.label_key else ()

    def _source(self, selection: Selection) -> tuple[dict[str, OtherField], list[str]]:
        """The field `source`, in an order of its own, where it is asked for, and what is to be said of it."""
        names = self._domains()[1]
        if not names:
            return {}, []
        own = self._splits_of(names).select(selection.expression)
        size = self.options.source_size or self.size
        sized = replace(self, options=replace(self.options, image_size=size))
        pictures = (rows for rows, _ in sized._batches(own, names))
        field = OtherField("image", (own.count, size, size, self.channels), pictures, aligned=False)
        said = f"the field source is {self.options.source_from}: {own.count:,} images in an order of their own"
        return {"source": field}, [said]

    @property
    def _cropped(self) -> str:
        """What is cut off the images; raises ZooError where that is too much and nobody asked for it."""
        size = builder_features.image_size(self.builder, self.image_key)
        if size:
            return images.framing(self.options, {size: 1}, self.builder.name).said
        if self.options.crop == WHOLE:
            return "images squeezed into squares"
        return "the middle square of each image" if self.options.side is None else f"the middle {self.options.side} px"

    def _default_image_key(self) -> str | None:
        try:
            return builder_features.image_key(self.builder)
        except ZooError:  # several images, and none is the default
            return None

    def _batches(self, selection: Selection, names: Mapping[str, str]) -> Batches:
        """The images of a selection; `names` are TFDS' own of the splits."""
        import tensorflow as tf

        try:
            for part in selection.parts:
                for samples, labels in self._images(replace(part, split=names[part.split])).as_numpy_iterator():
                    yield samples, labels if self.label_key else None
        except (tf.errors.OpError, NotImplementedError) as error:
            raise ZooError(
                f"Cannot read {self.builder.info.full_name}: {getattr(error, 'message', error)}\n"
                f"If its files are damaged, delete {self.builder.data_path} and run the same command again."
            ) from error

    def _images(self, part: Part) -> Any:
        """A tf.data.Dataset of (uint8 images, int64 labels) in batches."""
        import tensorflow as tf

        examples = self._encoded(part)
        if part.range is None:
            chosen = np.zeros(self.builder.info.splits[part.split].num_examples, bool)
            chosen[part.rows] = True
            wanted = tf.constant(chosen)
            examples = examples.enumerate().filter(lambda row, _: wanted[row]).map(lambda _, example: example)
        whole = self.options.crop == WHOLE
        preprocessing = Preprocessing(self.channels, None if whole else self.native_size, self.size, whole)
        squares = mapped(examples, lambda example: self._square(example, preprocessing))
        together = None if whole else self.native_size
        if together:  # squares of equal size are resized together, which takes a fifth less time
            squares = squares.batch(batch_of(together, self.channels))
        pictures = mapped(squares, lambda square, label: (preprocessing.resized(square), label))
        options = tf.data.Options()
        # The autotuning thread may sleep for seconds after the last batch, and the end of the pipeline waits for it.
        options.autotune.enabled = False
        return (pictures if together else pictures.batch(BATCH)).prefetch(AHEAD).with_options(options)

    def _encoded(self, part: Part) -> Any:
        """The examples of the rows, or of the whole split where these have gaps; images are not decoded yet."""
        import tensorflow as tf

        tfds = imported_tfds()
        keys = [self.image_key, *self._label_keys]
        decoders = tfds.decode.PartialDecoding(
            nested(dict.fromkeys(keys, True)), decoders=nested({self.image_key: tfds.decode.SkipDecoding()})
        )
        first, last = part.range or (0, self.builder.info.splits[part.split].num_examples)
        split = f"{part.split}[{first}:{last}]"
        with quiet():
            if self.builder.info.file_format.value != "array_record":
                return self.builder.as_dataset(
                    split=split,
                    shuffle_files=False,
                    decoders=decoders,
                    # Files are read one after the other: the order of rows must not depend on threads.
                    read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
                )
            raw = self.builder.as_data_source(split=split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)
            records = tf.data.Dataset.from_generator(lambda: iter(raw), output_signature=tf.TensorSpec((), tf.string))
            read = decoders.extract_features(self.builder.info.features)
            return records.map(lambda record: read.deserialize_example(record, decoders=decoders.decoders))

    def _square(self, example: Mapping[str, Any], preprocessing: Preprocessing) -> tuple[Any, Any]:
        """The centre square (side, side, C), not resized yet, and the label (-1 without labels) or attributes (K,)."""
        import tensorflow as tf

        labels = [tf.cast(value(example, key), tf.int64) for key in self._label_keys] or [tf.constant(-1, tf.int64)]
        feature = builder_features.features(self.builder)[self.image_key]
        stored = value(example, self.image_key)
        image = feature.decode_example(stored) if stored.dtype == tf.string else stored
        return preprocessing.centre(image), tf.stack(labels) if len(labels) > 1 else labels[0]

    @property
    def _label_keys(self) -> tuple[str, ...]:
        """The paths of the features that labels or attributes are read from."""
        return attributes_in(self.label_key) or ((self.label_key,) if self.label_key else ())


def mapped(dataset: Any, function: Callable[..., Any]) -> Any:
    """The tf.data.Dataset mapped by a function on all cores, its order kept."""
    import tensorflow as tf

    # AutoGraph would warn about functions that it can't convert, and log the whole environment.
    plain = tf.autograph.experimental.do_not_convert(function)
    return dataset.map(plain, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def batch_of(side: int, channels: int) -> int:
    """The number of squares to resize together, such that they take at most RESIZED_BYTES as float32."""
    return max(1, min(BATCH, RESIZED_BYTES // (4 * channels * side * side)))


def nested(by_path: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a/b": x}` as `{"a": {"b": x}}`."""
    tree: dict[str, Any] = {}
    for path, each in by_path.items():
        *folders, last = path.split("/")
        inner = tree
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[last] = each
    return tree


def value(example: Mapping[str, Any], path: str) -> Any:
    """The value at a path of a nested example."""
    found: Any = example
    for part in path.split("/"):
        found = found[part]
    return found
