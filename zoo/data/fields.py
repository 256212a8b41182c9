"""Fields: the named tensors of a dataset's rows, and everything that depends on what kind of tensor one is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

from zoo.catalogue.entries import IMAGES, POINTS, UNPAIRED, WITH_PAIRS

SOURCE = "source"  # what a translation starts from
Kind = Literal["image", "points", "label", "vector"]
ATTRIBUTES = "attributes"  # the vector field that several labels of zeros and ones become


@dataclass(frozen=True)
class Field:
    """What each row holds under one name.

    An image is uint8 (H, W, C) at rest and float32 in [-1, 1] in the step, points are float32 (D,) in scaled units, a
    label is an int32 number of a class, a vector float32 (K,).
    """

    kind: Kind
    shape: tuple[int, ...]  # of one row: (H, W, C), (D,), () for a label, (K,)
    scale: float = 1.0
    """Original units are values * scale; 1.0 for everything but points."""
    class_names: tuple[str, ...] = ()
    """Of a label's classes, or of a vector's numbers where these have names: attributes."""
    frequencies: tuple[float, ...] = ()
    """The share of each class among the rows, for a label."""
    aligned: bool = True
    """Whether row i belongs to row i of `samples`; fields that are not aligned have an order of their own."""

    @property
    def is_image(self) -> bool:
        """Whether a value is a picture."""
        return self.kind == "image"

    @property
    def classes(self) -> int | None:
        """How many classes a label has; None for any other field."""
        return len(self.frequencies) if self.kind == "label" else None

    @property
    def all_names(self) -> list[str]:
        """Of a label's classes: their names, or their numbers where they have none."""
        return list(self.class_names) or [str(number) for number in range(self.classes or 0)]

    def presented(self, values: "np.ndarray") -> "np.ndarray":
        """Values of the step as a user knows them: images uint8, points in their original units."""
        from zoo.base.pictures import to_uint8

        return to_uint8(values) if self.is_image else values * self.scale

    def computed(self, presented: "np.ndarray") -> "np.ndarray":
        """The way back: values as a user knows them as the step takes them, float32."""
        from zoo.base.pictures import from_pixels

        values = presented.astype("float32")
        return from_pixels(values) if self.is_image else values / self.scale

    def picture(
        self, presented: "np.ndarray", columns: int | None = None, real: "np.ndarray | None" = None
    ) -> "Image.Image":
        """A grid of presented images, or presented points over real ones; over themselves where none are given."""
        from zoo.base.pictures import grid, scatter

        return grid(presented, columns) if self.is_image else scatter(presented, presented if real is None else real)

    def class_number(self, name: str) -> int:
        """The number of a class by its name in any case, or by its number; raises ZooError for an unknown one."""
        from zoo.errors import ZooError, unknown

        lower = [each.lower() for each in self.class_names]
        if lower.count(name.lower()) == 1:
            return lower.index(name.lower())
        if name in self.class_names:  # names that differ in their case alone
            return self.class_names.index(name)
        if name.isdecimal() and int(name) < len(self.frequencies):
            return int(name)
        if not self.class_names:
            raise ZooError(f"Unknown class: '{name}'. The classes are numbered from 0 to {len(self.frequencies) - 1}.")
        raise unknown("class", name, self.class_names)

    def record(self) -> dict[str, Any]:
        """Plain data, for run.yaml."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Field":
        """The field that `record` described."""
        sequences = {name: tuple(value) for name, value in record.items() if isinstance(value, list | tuple)}
        return cls(**{**record, **sequences})


def kind_of_data(fields: Mapping[str, Field]) -> str:
    """What variants are suggested for, one of zoo.catalogue.entries.KINDS: images, points, or with a field `source`."""
    if not fields["samples"].is_image:
        return POINTS
    if SOURCE not in fields:
        return IMAGES
    return WITH_PAIRS if fields[SOURCE].aligned else UNPAIRED


def samples_field(shape: tuple[int, ...], scale: float = 1.0) -> Field:
    """The field of samples of a shape: three axes are an image's, one is a point's."""
    return Field("image" if len(shape) == 3 else "points", tuple(shape), scale)


def derived_field(shape: tuple[int, ...]) -> Field:
    """The field that a hook derives on the device: images have three axes, everything else is a vector."""
    return Field("image" if len(shape) == 3 else "vector", tuple(shape))


def expected_fields(shape: tuple[int, ...], classes: int | None) -> dict[str, Field]:
    """The fields of data of which no more is known than this: its classes are taken for equally frequent."""
    samples = {"samples": samples_field(shape)}
    return {**samples, "labels": Field("label", (), frequencies=(1 / classes,) * classes)} if classes else samples
