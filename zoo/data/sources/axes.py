"""The order of the axes of an array of images: channels last, channels first, or none.

Told by the axis that has 1, 3 or 4 entries; what may be meant in two ways is refused, and `--layout` decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.options import CHANNELS
from zoo.errors import ZooError

LAST, FIRST, NO_CHANNELS = "nhwc", "nchw", "nhw"
AXES = {LAST: 4, FIRST: 4, NO_CHANNELS: 3}


@dataclass(frozen=True)
class Axes:
    """A layout, and with it the height, width and number of channels of an image."""

    layout: str
    height: int
    width: int
    channels: int

    def channels_last(self, rows: np.ndarray) -> np.ndarray:
        """(B, H, W, C) of rows as they are stored."""
        if self.layout == FIRST:
            return np.ascontiguousarray(np.moveaxis(rows, 1, -1))
        return rows.reshape(len(rows), self.height, self.width, self.channels)

    @property
    def said(self) -> str:
        """What the axes are taken for, where that is not the usual order."""
        return f"axes are (N, C, H, W): {self.channels} channels first" if self.layout == FIRST else ""


def axes_of(shape: Sequence[int], where: str, requested: str | None = None) -> Axes:
    """The axes of an array (N, ...); raises ZooError where the request doesn't fit, or without one none is plain."""
    layout = requested or found(shape, where)
    if AXES[layout] != len(shape):
        raise ZooError(f"{where} has {len(shape)} axes, {tuple(shape)}: --layout {layout} has {AXES[layout]}.")
    if layout == NO_CHANNELS:
        height, width, channels = *shape[1:], 1
    elif layout == FIRST:
        channels, height, width = shape[1:]
    else:
        height, width, channels = shape[1:]
    return Axes(layout, height, width, channels)


def found(shape: Sequence[int], where: str) -> str:
    """The only plain layout of a shape."""
    if len(shape) == AXES[NO_CHANNELS]:
        if is_one_image(shape):
            raise ZooError(
                f"{where} is {tuple(shape)}: one image of {shape[1]} x {shape[0]} pixels and {shape[2]} channels, or "
                f"{shape[0]} gray images of {shape[2]} x {shape[1]} pixels? Save one image as array[np.newaxis], and "
                f"have the other read by --layout {NO_CHANNELS}"
            )
        return NO_CHANNELS
    _, one, two, three = shape
    plain = {layout for layout, count in ((FIRST, one), (LAST, three)) if count in CHANNELS}
    if not plain:  # more channels than colours have, as from satellites: images are more often square
        plain = {layout for layout, sides in ((FIRST, (two, three)), (LAST, (one, two))) if len(set(sides)) == 1}
    if len(plain) != 1:
        raise ZooError(
            f"{where} is {tuple(shape)}: {three} x {two} pixels of {one} channels, or {two} x {one} pixels of {three}? "
            f"Say which: --layout {FIRST} or --layout {LAST}"
        )
    return plain.pop()


def is_one_image(shape: Sequence[int]) -> bool:
    """Whether three axes look like one image's height, width and channels."""
    return shape[-1] in (3, 4) and min(shape[:2]) > 4
