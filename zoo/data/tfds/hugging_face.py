"""Datasets of the Hugging Face hub, read through TFDS' builder for them; needs the package `datasets`."""

import importlib.util
import re
import urllib.parse
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from zoo.base.output import steady_stderr
from zoo.data.images import with_channels
from zoo.data.tfds.preflight import any_host_responds
from zoo.data.tfds.quiet import imported_tfds, quiet
from zoo.errors import ZooError

HUGGING_FACE = "huggingface:"
REFERENCE = re.compile(r"huggingface:(?P<name>\w[\w.-]*(/\w[\w.-]*)?)(:(?P<config>[^:]+))?")
RGB = 3


def hub_builder(reference: str, directory: Path) -> Any:
    """The builder of `huggingface:owner/name` or `huggingface:owner/name:config`, offline where TFDS has stored it."""
    parts = REFERENCE.fullmatch(reference)
    if parts is None:
        raise ZooError(
            f"'{reference}' is no name of the Hugging Face hub. Expected huggingface:owner/name, "
            "or huggingface:owner/name:config."
        )
    name, config = parts["name"], parts["config"]
    if stored := stored_builder(name, config, directory):
        return stored
    if importlib.util.find_spec("datasets") is None:
        raise ZooError(f"'{reference}' needs the package datasets: pip install 'gan-zoo[huggingface]'.")
    check_connection(reference)
    try:
        with quiet():
            return _new_builder(name, config, directory)
    except Exception as error:
        raise ZooError(f"'{reference}' cannot be opened: {_reason(error, name)}") from error


def stored_builder(name: str, config: str | None, directory: Path) -> Any:
    """A builder of what TFDS has prepared below `directory`, the last one of several; None where there is nothing."""
    tfds = imported_tfds()
    from tensorflow_datasets.core.utils.conversion_utils import to_tfds_name

    folder = directory / to_tfds_name(name)
    stored = [*(folder / to_tfds_name(config) if config else folder).glob("*/dataset_info.json")]
    if not stored:
        return None
    place = max(stored, key=lambda each: each.stat().st_mtime).parent
    with quiet():
        builder = tfds.builder_from_directory(place)
    # TFDS' names are small letters, digits and underscores: `a/b-c` and `a/B_c` have one folder.
    owner = str(builder.info.homepage).partition("/datasets/")[2]
    if owner and owner.lower() != name.lower():
        raise ZooError(
            f"{place} holds the data set '{owner}', whose name TFDS cannot tell from '{name}'. "
            "Choose another folder with --data-dir DIR."
        )
    return builder


def check_connection(reference: str) -> None:
    """Raises ZooError where the hub does not respond within seconds: its own library tries for half a minute."""
    from huggingface_hub import constants

    if not any_host_responds([constants.ENDPOINT]):
        host = urllib.parse.urlparse(constants.ENDPOINT).hostname
        raise ZooError(
            f"'{reference}' is not prepared, and there is no connection to {host}. "
            f"Bring it from a machine on which it is prepared: zoo data export {reference} there, zoo data import here."
        )


def _new_builder(name: str, config: str | None, directory: Path) -> Any:
    imported_tfds()
    import datasets
    from tensorflow_datasets.core.dataset_builders.huggingface_dataset_builder import HuggingfaceDatasetBuilder
    from tensorflow_datasets.core.utils.huggingface_utils import convert_hf_features

    if not steady_stderr().isatty():
        datasets.disable_progress_bars()

    def is_known(feature: Any) -> bool:
        try:
            convert_hf_features(feature)
        except (TypeError, ValueError):
            return False
        return True

    class HubBuilder(HuggingfaceDatasetBuilder, skip_registration=True):  # type: ignore[call-arg]
        """TFDS' builder without the columns that it cannot convert, and with images converted by `zoo.data.images`."""

        def _hf_features(self) -> dict[str, Any]:
            return {column: feature for column, feature in super()._hf_features().items() if is_known(feature)}

        def _hf_download_and_prepare(self) -> None:
            super()._hf_download_and_prepare()
            self._hf_builder.as_dataset = partial(
                _with_plain_images, type(self._hf_builder).as_dataset, self._hf_builder
            )

    # tfds.builder would list the whole hub to look up the spelling of the name.
    return HubBuilder(hf_repo_id=name, hf_config=config, data_dir=directory, file_format="tfrecord")


def _with_plain_images(as_dataset: Any, builder: Any, **arguments: Any) -> Any:
    """The dataset with 8-bit RGB images: TFDS would drop the alpha channel, and clip 16-bit values at 255."""
    return as_dataset(builder, **arguments).with_transform(
        lambda batch: {column: [_plain(value, column) for value in values] for column, values in batch.items()}
    )


def _plain(value: Any, column: str) -> Any:
    """A Pillow image converted to 8-bit RGB; any other value unchanged."""
    if not isinstance(value, Image.Image):
        return value
    return Image.fromarray(with_channels(value, f"An image of the column '{column}'", RGB))


def _reason(error: Exception, name: str) -> str:
    """The message of `datasets` or of the hub in one line; TFDS' own says only that it failed."""
    cause = error.__cause__ or error
    text = " ".join(str(cause).partition("Example of usage")[0].split()) or type(cause).__name__
    hint = f" A config is named behind a colon: {HUGGING_FACE}{name}:CONFIG." if "config" in text.lower() else ""
    return f"{text}{hint}"
