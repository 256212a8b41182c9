"""What a TFDS builder holds: which feature is the image, which the label, and how large images are."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.tfds_quiet import imported_tfds, quiet
from zoo.errors import ZooError, nearest_name, unknown


def found_builder(reference: str, known: Iterable[str], directory: Path) -> Any:
    """The TFDS builder of `name`, `name/config` or `name/config:version`; `known` are the catalogue's names."""
    tfds = imported_tfds()
    try:
        with quiet():
            return tfds.builder(reference, data_dir=directory)
    # TFDS raises a ValueError for a bad name or config, an AssertionError for a version that it cannot build.
    except (ValueError, AssertionError, ImportError, RuntimeError) as error:
        raise _not_found(reference, known, error) from error


def features(builder: Any) -> Mapping[str, Any]:
    """The builder's features by name; raises ZooError for a dataset that is not a dictionary of features."""
    found = builder.info.features
    if not isinstance(found, imported_tfds().features.FeaturesDict):
        raise _imageless(builder)
    return dict(found.items())


def image_key(builder: Any) -> str:
    """The only image feature, or the one that TFDS' supervised keys or the name `image` single out."""
    tfds = imported_tfds()
    images = [key for key, feature in features(builder).items() if isinstance(feature, tfds.features.Image)]
    if not images:
        raise _imageless(builder)
    chosen = next((key for key in (*(builder.info.supervised_keys or ()), "image") if key in images), None)
    if chosen is None and len(images) > 1:
        raise ZooError(
            f"{builder.name} has several images: {', '.join(images)}. Choose one as `image_key` in registry.yaml:\n"
            f"datasets:\n  my_{builder.name}: {{tfds: {builder.name}, image_key: {images[0]}}}"
        )
    return chosen or images[0]


def label_key(builder: Any) -> str | None:
    """The class label that TFDS' supervised keys or the name `label` single out, or the only one, or None."""
    tfds = imported_tfds()
    labels = [key for key, feature in features(builder).items() if isinstance(feature, tfds.features.ClassLabel)]
    chosen = next((key for key in (*(builder.info.supervised_keys or ()), "label") if key in labels), None)
    return chosen or (labels[0] if len(labels) == 1 else None)


def checked_image(builder: Any, key: str) -> None:
    """Raises ZooError unless the feature `key` is there and holds 8-bit images."""
    tfds = imported_tfds()
    if key not in features(builder):
        raise unknown(f"feature of {builder.name}", key, features(builder))
    feature = features(builder)[key]
    if not isinstance(feature, tfds.features.Image) or np.dtype(feature.np_dtype) != np.uint8:
        raise ZooError(f"The feature '{key}' of {builder.name} is no 8-bit image but {feature!r}.")


def checked_label(builder: Any, key: str) -> None:
    """Raises ZooError unless the feature `key` is there and holds one whole number for each image."""
    if key not in features(builder):
        raise unknown(f"feature of {builder.name}", key, features(builder))
    feature = features(builder)[key]
    # `shape` is a dictionary for nested features, such as CelebA's attributes.
    if feature.shape != () or np.dtype(feature.np_dtype).kind not in "iub":
        raise ZooError(f"The feature '{key}' of {builder.name} is no class label but {feature!r}.")


def native_size(builder: Any, key: str, crop: int | None) -> int:
    """The side in pixels of the centre square when all images have one size; raises ZooError when sizes vary."""
    height, width, _ = features(builder)[key].shape
    if crop:
        return crop
    if height and width:
        return int(min(height, width))
    raise ZooError(f"The images of {builder.name} have different sizes: choose one with --image-size 64")


def _imageless(builder: Any) -> ZooError:
    return ZooError(f"The dataset {builder.name} has no images. Its features:\n{builder.info.features}")


def _not_found(reference: str, known: Iterable[str], error: Exception) -> ZooError:
    """Says which part of `name/config:version` TFDS does not know, with what it has instead."""
    tfds = imported_tfds()
    name, _, config = reference.partition(":")[0].partition("/")
    builders = tfds.list_builders(with_community_datasets=False)
    if name not in builders:
        return _unknown_dataset(reference, known, builders)
    configs = list(tfds.builder_cls(name).builder_configs)
    if config and config not in configs:
        return unknown(f"config of {name}", config, configs)
    # What comes before is TFDS' own call with all its arguments.
    reason = str(error).rpartition('}": ')[2]
    return ZooError(f"TFDS cannot make a dataset of '{reference}': {reason}")


def _unknown_dataset(reference: str, known: Iterable[str], builders: Iterable[str]) -> ZooError:
    """Lists the catalogue's names alone, but suggests the nearest of TFDS' hundreds too."""
    listed = unknown("dataset", reference, known)
    nearest = nearest_name(reference, builders)
    also = f", such as '{nearest}'" if nearest and nearest not in str(listed) else ""
    return ZooError(
        f"{listed} Any image dataset of TFDS works by its own name{also}, "
        f"and images of your own by a path: ./{Path(reference).name}"
    )
