"""The features of a TFDS builder: which one is the image, which the label, and how large images are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.options import attributes_in
from zoo.data.sources.celeba import class_names
from zoo.data.tfds.hugging_face import HUGGING_FACE, hub_builder
from zoo.data.tfds.quiet import imported_tfds, quiet
from zoo.errors import ZooError, nearest_name, unknown

RGB = 3


def found_builder(reference: str, known: Iterable[str], directory: Path) -> Any:
    """The TFDS builder of `name`, `name/config` or `name/config:version`; `known` are the catalogue's names.

    `huggingface:name` and `huggingface:owner/name` are data sets of the Hugging Face hub, read by way of TFDS.
    """
    if reference.startswith(HUGGING_FACE):
        return hub_builder(reference, directory)
    tfds = imported_tfds()
    try:
        with quiet():
            return tfds.builder(reference, data_dir=directory)
    # TFDS raises a ValueError for a bad name or config, an AssertionError for a version that it cannot build.
    except (ValueError, AssertionError, ImportError, RuntimeError) as error:
        raise _not_found(reference, known, error) from error


def features(builder: Any) -> Mapping[str, Any]:
    """The builder's features by path, such as `attributes/Smiling`; raises ZooError where they are no dict."""
    found = builder.info.features
    if not isinstance(found, imported_tfds().features.FeaturesDict):
        raise _imageless(builder)
    return dict(_flat(found, ""))


def _flat(found: Any, prefix: str) -> Iterable[tuple[str, Any]]:
    for name, feature in found.items():
        if isinstance(feature, imported_tfds().features.FeaturesDict):
            yield from _flat(feature, f"{prefix}{name}/")
        else:
            yield prefix + name, feature


def path_of(builder: Any, wanted: str, kind: str) -> str:
    """The path of the feature that is named by its path, or by the last part of it where that is unambiguous."""
    paths = features(builder)
    if wanted in paths:
        return wanted
    by_last = Counter(path.rpartition("/")[2] for path in paths)
    short = {path.rpartition("/")[2]: path for path in paths if by_last[path.rpartition("/")[2]] == 1}
    if wanted in short:
        return short[wanted]
    raise unknown(
        f"{kind} of {builder.name}", wanted, [*short, *(path for path in paths if path not in short.values())]
    )


def image_key(builder: Any, reference: str = "") -> str:
    """The only image feature, or the one in TFDS' supervised keys, or the one named `image`.

    `reference` is the builder's name in the catalogue, for the error about several images.
    """
    tfds = imported_tfds()
    found = {key: feature for key, feature in features(builder).items() if isinstance(feature, tfds.features.Image)}
    # A segmentation map is an image feature too, but not one to generate.
    images = [key for key, feature in found.items() if not isinstance(feature, tfds.features.LabeledImage)] or [*found]
    if not images:
        raise _imageless(builder)
    chosen = next((key for key in (*(builder.info.supervised_keys or ()), "image") if key in images), None)
    if chosen is None and len(images) > 1:
        raise ZooError(
            f"{builder.name} has several images: {', '.join(images)}. Choose one as `image_key` in registry.yaml:\n"
            f"datasets:\n  my_{builder.name}: {{tfds: {reference or builder.name}, image_key: {images[0]}}}"
        )
    return chosen or images[0]


def label_key(builder: Any) -> str | None:
    """The class label in TFDS' supervised keys, or the one named `label`, or the only one; None where there is none."""
    tfds = imported_tfds()
    labels = [key for key, feature in features(builder).items() if isinstance(feature, tfds.features.ClassLabel)]
    chosen = next((key for key in (*(builder.info.supervised_keys or ()), "label") if key in labels), None)
    return chosen or (labels[0] if len(labels) == 1 else None)


def label_names(builder: Any) -> list[str]:
    """Every feature that may be a label, by the last part of its path where that is unambiguous."""
    found = [path for path, each in features(builder).items() if is_label(each)]
    by_last = Counter(path.rpartition("/")[2] for path in features(builder))
    return [last if by_last[last := path.rpartition("/")[2]] == 1 else path for path in found]


def is_label(feature: Any) -> bool:
    """Whether it holds one whole number or truth for each image."""
    return feature.shape == () and np.dtype(feature.np_dtype).kind in "iub"


def checked_image(builder: Any, wanted: str) -> str:
    """The path of the feature `wanted`; raises ZooError unless it holds single images of 8 or 16 bits."""
    key = path_of(builder, wanted, "feature")
    feature = features(builder)[key]
    shape, dtype = feature.shape, np.dtype(feature.np_dtype)
    if not isinstance(shape, tuple) or len(shape) != 3 or dtype not in (np.uint8, np.uint16) or shape[-1] is None:
        raise ZooError(f"The feature '{key}' of {builder.name} is no image of 8 or 16 bits but {feature!r}.")
    return key


def checked_labels(builder: Any, wanted: str) -> str:
    """The path of a label, or of several attributes joined by commas, each of which is true or false."""
    several = attributes_in(wanted)
    keys = [checked_label(builder, each) for each in several or (wanted,)]
    found = features(builder)
    for key in keys if several else ():
        if np.dtype(found[key].np_dtype) != np.bool_ and getattr(found[key], "num_classes", None) != 2:
            raise ZooError(
                f"The feature '{key}' of {builder.name} is no attribute, which is true or false, but {found[key]!r}. "
                "Take it alone, as a label."
            )
    return ",".join(keys)


def checked_label(builder: Any, wanted: str) -> str:
    """The path of the feature `wanted`; raises ZooError unless it holds one whole number or truth for each image."""
    key = path_of(builder, wanted, "feature")
    feature = features(builder)[key]
    if not is_label(feature):
        raise ZooError(f"The feature '{key}' of {builder.name} is no class label but {feature!r}.")
    return key


def names_of(feature: Any, key: str) -> tuple[str, ...]:
    """The class names of a label feature, () where it has none."""
    if np.dtype(feature.np_dtype) == np.bool_:
        return class_names(key)
    return tuple(getattr(feature, "names", None) or ())


def native_size(builder: Any, key: str, side: int | None) -> int | None:
    """The side in pixels of the centre square before resizing; None where images differ in size and `side` is None."""
    size = image_size(builder, key)
    return side or (min(size) if size else None)


def image_size(builder: Any, key: str) -> tuple[int, int] | None:
    """Width and height of every image; None where they differ."""
    height, width, _ = features(builder)[key].shape
    return (int(width), int(height)) if height and width else None


def natural_channels(builder: Any, key: str) -> int:
    """The number of channels that are stored by default: alpha is dropped, since transparency is laid over white."""
    stored = int(features(builder)[key].shape[-1])
    return {2: 1, 4: RGB}.get(stored, stored)


def _imageless(builder: Any) -> ZooError:
    return ZooError(f"The dataset {builder.name} has no images. Its features:\n{builder.info.features}")


def _not_found(reference: str, known: Iterable[str], error: Exception) -> ZooError:
    """The error that says which part of `name/config:version` TFDS does not know, with the available names."""
    tfds = imported_tfds()
    name, _, config = reference.partition(":")[0].partition("/")
    builders = tfds.list_builders(with_community_datasets=False)
    if name not in builders:
        return _unknown_dataset(reference, known, builders)
    configs = list(tfds.builder_cls(name).builder_configs)
    if config and config not in configs:
        return unknown(f"config of {name}", config, configs)
    # The text before the last `}": ` repeats TFDS' own call with all its arguments.
    reason = str(error).rpartition('}": ')[2]
    return ZooError(f"TFDS cannot make a dataset of '{reference}': {reason}")


def _unknown_dataset(reference: str, known: Iterable[str], builders: Iterable[str]) -> ZooError:
    """The error that lists the catalogue's names, and suggests the nearest of TFDS' hundreds of names too."""
    listed = unknown("dataset", reference, known)
    nearest = nearest_name(reference, builders)
    also = f", such as '{nearest}'" if nearest and nearest not in str(listed) else ""
    return ZooError(
        f"{listed} Any image dataset of TFDS works by its own name{also}, "
        f"and images of your own by a path: ./{Path(reference).name}"
    )
