"""What is asked of a dataset: which part of it, and how its samples are to look; the same for every source."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from zoo.catalogue import DatasetEntry
from zoo.errors import ZooError

CHANNELS = (1, 3, 4)
WITHOUT_LABELS = "none"
UNREADABLE_SHARE = 0.01  # of a folder's images; more are refused


@dataclass(frozen=True)
class DataOptions:
    """How to read a dataset; None leaves it to registry.yaml, and where that is silent to the data itself."""

    split: str = "train"
    """`train`, `test`, `all`, a split's own name, a part such as `train[:80%]`, or several joined by `+`."""
    image_size: int | None = None  # pixels of a side, after the crop
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
        """These options, and where they ask for nothing those of a catalogue's entry."""
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
    def look(self) -> Mapping[str, Any]:
        """All but the split."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "split"}

    def refuse_images(self, what: str) -> None:
        """Raises ZooError where something is asked that only images have; `what` is what there is instead."""
        asked = [name for name in ("image_size", "crop", "channels", "image_key") if getattr(self, name) is not None]
        if asked:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
            raise ZooError(f"{what}: {options} means nothing for it. Leave it out.")
