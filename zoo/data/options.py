"""The options with which a dataset is read, the same for every source: split, size, crop, channels, labels."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from zoo.catalogue import DatasetEntry
from zoo.data.values import Values
from zoo.errors import ZooError, unknown

CHANNELS = (1, 3, 4)
SQUARE, WHOLE = "square", "none"  # crops: the largest centre square, asked for; the whole image
CROPS = (SQUARE, WHOLE)
LAYOUTS = ("nhwc", "nchw", "nhw")
SOURCE = ("source_from", "source_size", "source_order")  # the options of the field `source`
FOLDERS = ("none", "classes", "splits", "splits/classes", "classes/splits")
PAIRS, OWN = "pairs", "own"
SOURCE_ORDERS = (PAIRS, OWN)
WITHOUT_LABELS = "none"
# The options that decide what is ambiguous.
READING = ("layout", "values", "folders", *SOURCE)
UNREADABLE_SHARE = 0.01  # share of a folder's images that may be unreadable; a folder with more is refused


@dataclass(frozen=True)
class DataOptions:
    """How to read a dataset. None means registry.yaml's value, and where it has none the data's own."""

    split: str = "train"
    """`train`, `test`, `all`, a split's own name, a part such as `train[:80%]`, or several joined by `+`."""
    image_size: int | None = None  # pixels, the side to which the crop is resized
    crop: int | str | None = None
    """Pixels, the side of the centre square that is kept; `square`: the largest one; `none`: the whole image, squeezed
    into a square. None keeps the largest centre square, and refuses images of which that would cut off too much."""
    channels: int | None = None  # 1 gray, 3 RGB, 4 RGB with alpha
    label: str | None = None
    """The feature, attribute or array that labels are read from; several, `Smiling,Male`, are the vector field
    `attributes` of zeros and ones; or `none`."""
    image_key: str | None = None  # the feature or array that images are read from
    layout: str | None = None  # the order of an array's axes: `nhwc`, `nchw`, or `nhw` of gray images
    values: str | None = None  # the stored values that are black and white: `0:4095`, `-1:1`
    folders: str | None = None  # what the subfolders of a folder or zip are, one of FOLDERS
    source_from: str | None = (
        None  # the folder, or the half of each image, `left` or `right`, that is the field `source`
    )
    source_size: int | None = None  # pixels, the side of the field `source` where it is another than the samples'
    source_order: str | None = None
    """Of two folders: `pairs`, each sample belongs to the image of its name in the other; `own`, none does. None takes
    them for pairs where every image has one, and refuses them where most have."""

    def __post_init__(self) -> None:
        for name in ("image_size", "crop", "source_size"):
            value = getattr(self, name)
            if isinstance(value, int) and value < 1:
                raise ZooError(f"The {name.replace('_', ' ')} must be at least 1 pixel, not {value}.")
        for name, known in (
            ("crop", CROPS),
            ("layout", LAYOUTS),
            ("folders", FOLDERS),
            ("source_order", SOURCE_ORDERS),
        ):
            value = getattr(self, name)
            if isinstance(value, str) and value not in known:
                raise unknown(name, value, known)
        if self.values is not None:
            Values.parsed(self.values)
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
            **{name: getattr(entry, name) for name in READING},
        }
        return replace(self, **(of_entry | ours))

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """Size, crop, channels and the features that are read, by name: all options but the split.

        Those that came later are named where they are given, so that what was prepared before is found.
        """
        given = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "split"}
        return {name: value for name, value in given.items() if value is not None or name not in READING}

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names in `label` where there are several; raises ZooError where one is empty, or stands twice."""
        names = attributes_in(self.label)
        if "" in names or len({*names}) != len(names):
            raise ZooError(f"--label {self.label}: expected different names between commas, as in Smiling,Male.")
        return names

    @property
    def side(self) -> int | None:
        """Pixels, the side of the centre square that is kept, where it is given in pixels."""
        return self.crop if isinstance(self.crop, int) else None

    def refuse_images(self, what: str) -> None:
        """Raises ZooError where an option is given that only images have; `what` says what the dataset holds."""
        self.refuse(what, "image_size", "crop", "channels", "image_key", *READING)

    def refuse(self, what: str, *names: str) -> None:
        """Raises ZooError where one of the named options is given; `what` says what the dataset holds."""
        given = [name for name in names if getattr(self, name) is not None]
        if given:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ZooError(f"{what}: {options} means nothing for it. Leave it out.")


def attributes_in(label: str | None) -> tuple[str, ...]:
    """The names in `Smiling,Male`; () for a single one, and for none."""
    names = tuple(each.strip() for each in (label or "").split(","))
    return names if len(names) > 1 else ()
