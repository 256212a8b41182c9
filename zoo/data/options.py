"""The options with which a dataset is read, the same for every source: split, size, crop, channels, labels."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from zoo.catalogue import DatasetEntry
from zoo.errors import ZooError

CHANNELS = (1, 3, 4)
WITHOUT_LABELS = "none"
UNREADABLE_SHARE = 0.01  # share of a folder's images that may be unreadable; a folder with more is refused


@dataclass(frozen=True)
class DataOptions:
    """How to read a dataset. None means registry.yaml's value, and where it has none the data's own."""

    split: str = "train"
    """`train`, `test`, `all`, a split's own name, a part such as `train[:80%]`, or several joined by `+`."""
    image_size: int | None = None  # pixels, the side to which the crop is resized
    crop: int | None = None  # pixels, the side of the centre square that is kept
    channels: int | None = None  # 1 gray, 3 RGB, 4 RGB with alpha
    label: str | None = None  # the feature, attribute or array that labels are read from, or `none`
    image_key: str | None = None  # the feature or array that images are read from

    def __post_init__(self) -> None:
        for name in ("image_size", "crop"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ZooError(f"The {name.replace('_', ' ')} must be at least 1 pixel, not {value}.")
        if self.channels not in (None, *CHANNELS):
            raise ZooError(f"Images can have 1 (gray), 3 (RGB) or 4 (RGB and alpha) channels, not {self.channels}.")

    def over(self, entry: DatasetEntry) -> "DataOptions":
        """These options, those that are None filled in from a catalogue's entry."""
        ours = {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name) is not None}
        of_entry = {
            "image_size": entry.image_size,
            "crop": entry.crop,
            "channels": entry.channels,
            "label": entry.label_key,
            "image_key": entry.image_key,
        }
        return replace(self, **(of_entry | ours))

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """Size, crop, channels and the features that are read, by name: all options but the split."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "split"}

    def refuse_images(self, what: str) -> None:
        """Raises ZooError where an option is given that only images have; `what` says what the dataset holds."""
        given = [name for name in ("image_size", "crop", "channels", "image_key") if getattr(self, name) is not None]
        if given:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ZooError(f"{what}: {options} means nothing for it. Leave it out.")
