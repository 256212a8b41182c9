"""Converts single images to uint8 (S, S, C) with Pillow: EXIF rotation, channels, 8 bits, centre crop, resize.

`zoo/data/tfds/pixels.py` does the same to TFDS' images with TensorFlow.
"""

import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from zoo.data.options import SQUARE, WHOLE, DataOptions
from zoo.data.values import EIGHT_BITS, SIXTEEN_BITS, Values
from zoo.errors import ZooError

RESIZE = "bicubic, antialiased (Pillow)"
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MOST_PIXELS = 2**26  # 8192 x 8192: an image of more is a mistake or an attack, and would fill the memory
GRAY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N")
PLAIN_MODES = ("L", "RGB")  # of 8 bits without transparency
MOST_LOST = 0.34  # share of the pictures that a crop may cut off unasked: a third, as of photographs of 3:2
PAGED = ("GIF", "TIFF", "PNG", "WEBP", "MPO", "AVIF")  # formats that may hold several images
PNG_DEPTH = slice(24, 25)  # the byte of a PNG with its bits a channel
TIFF_DEPTH = 258  # the tag of a TIFF with its bits a channel
# Pillow raises these for files that are no images, truncated or corrupt.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)


@dataclass(frozen=True)
class Header:
    """An image's size and kind, read from its first bytes."""

    size: tuple[int, int]  # width and height as stored: an EXIF rotation may exchange them
    gray: bool
    deep: bool = False  # whether it has 16 bits a channel
    upper: bool = False  # whether only the upper 8 of them are read


def opened(content: bytes, name: str) -> Image.Image:
    """The image of a file's bytes, not decoded yet; raises ZooError for more than MOST_PIXELS pixels."""
    try:
        image = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise bomb(name, "too many") from error
    if image.width * image.height > MOST_PIXELS:
        raise bomb(name, f"{image.width} x {image.height}")
    return image


def bomb(name: str, size: str) -> ZooError:
    """The error about an image whose header claims too many pixels; `size` says how many."""
    return ZooError(
        f"{name} claims to have {size} pixels; more than {MOST_PIXELS:,} in one image are refused, for they would fill "
        "the memory. Remove it, or make it smaller."
    )


def header(content: bytes, name: str) -> Header:
    """Size and kind of an image from the first bytes of its file; raises one of UNREADABLE where they don't say."""
    image = opened(content, name)
    deep = is_deep(image, content)
    return Header(image.size, image.mode in GRAY_MODES, deep, deep and not image.mode.startswith("I"))


def is_deep(image: Image.Image, content: bytes) -> bool:
    """Whether a channel has 16 bits, which Pillow keeps of gray images alone."""
    if image.mode.startswith("I"):
        return True
    if image.format == "PNG":
        return content[PNG_DEPTH] == b"\x10"
    return image.format == "TIFF" and 16 in (image.tag_v2.get(TIFF_DEPTH) or ())  # type: ignore[attr-defined]


def ends(content: bytes, name: str) -> tuple[int, int]:
    """The least and the largest value of an image of 16 bits; of colours, of which Pillow reads the upper 8, about."""
    image = opened(content, name)
    stored = np.asarray(image)
    if image.mode.startswith("I"):
        return int(stored.min()), int(stored.max())
    return 2**8 * int(stored.min()), 2**8 * (int(stored.max()) + 1) - 1


def decoded(content: bytes, name: str, channels: int, values: Values | None = None) -> tuple[np.ndarray, int]:
    """uint8 (H, W, channels) of an image file's bytes, and how many pages or frames it has.

    It is rotated by its EXIF data, and transparency is laid over white. `values` are those of black and white.
    """
    image = opened(content, name)
    pages = pages_of(content, name) if image.format in PAGED else 1
    if values and is_deep(image, content) and not image.mode.startswith("I"):
        values = values.of_upper_bytes
    return with_channels(ImageOps.exif_transpose(image), name, channels, values), pages


def pages_of(content: bytes, name: str) -> int:
    """How many pages or frames an image has; 1 where those after the first can't be counted.

    Counting may leave Pillow's image at another one, so that it has one of its own.
    """
    try:
        return int(getattr(opened(content, name), "n_frames", 1))
    except UNREADABLE:
        return 1


def with_channels(image: Image.Image, name: str, channels: int, values: Values | None = None) -> np.ndarray:
    """uint8 (H, W, channels) of an image of any Pillow mode; raises ZooError for floats and more than 16 bits.

    `values` say what is black and white in gray ones of more than 8 bits, and in plain ones of 8.
    """
    if values is None and image.mode == "F":
        raise ZooError(
            f"{name} holds floating-point values of unknown range. Store it with 8 or 16 bits a channel, or say which "
            "values are black and white: --values 0:1"
        )
    if image.mode == "F" or image.mode.startswith("I"):
        stored = np.asarray(image)
        if values is None and (stored.min() < 0 or stored.max() > SIXTEEN_BITS.white):
            raise ZooError(
                f"{name} holds values beyond 16 bits. Store it with 8 or 16 bits a channel, or say which values are "
                f"black and white: --values {stored.min()}:{stored.max()}"
            )
        image = Image.fromarray((values or SIXTEEN_BITS).eight_bits(stored))
    elif values not in (None, EIGHT_BITS):
        if image.mode not in PLAIN_MODES or "transparency" in image.info:
            raise ZooError(
                f"{name} is neither plain gray nor plain RGB, but {image.mode}: --values means nothing for it. Leave "
                "the option out, or convert the image."
            )
        image = Image.fromarray(values.eight_bits(np.asarray(image)))
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "RGBA" and channels != 4:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    pixels = np.asarray(
        image.convert("RGB").convert(mode) if image.mode == "RGBA" and channels == 1 else image.convert(mode)
    )
    return pixels.reshape(*pixels.shape[:2], channels)


def array_with_channels(stored: np.ndarray, channels: int) -> np.ndarray:
    """uint8 (H, W, channels) of a uint8 image (H, W, C)."""
    if stored.shape[-1] == channels:
        return stored
    image = Image.fromarray(stored[..., 0] if stored.shape[-1] == 1 else stored)
    return with_channels(image, "the array", channels)


def square(pixels: np.ndarray, crop: int | str | None, size: int) -> np.ndarray:
    """uint8 (H, W, C) to (size, size, C): the centre square of side `crop` (None: of the shorter side), resized.

    With WHOLE nothing is cut off.
    """
    height, width, _ = pixels.shape
    if crop == WHOLE:
        return pixels if height == width == size else resized(pixels, size)
    side = crop if isinstance(crop, int) else min(height, width)
    if side > min(height, width):
        raise ZooError(f"An image of {width} x {height} pixels is smaller than the crop of {side} pixels.")
    top, left = (height - side) // 2, (width - side) // 2
    centre = pixels[top : top + side, left : left + side]
    return centre if side == size else resized(centre, size)


def as_png(pixels: np.ndarray) -> bytes:
    """The file of a uint8 image (H, W, C), as it is."""
    content = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(content, format="PNG")
    return content.getvalue()


def resized(pixels: np.ndarray, size: int) -> np.ndarray:
    """uint8 (size, size, C) of an image (H, W, C), bicubic, antialiased where it shrinks."""
    return resized_to(pixels, (size, size))


def resized_to(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 (height, width, C) of an image (H, W, C), bicubic, antialiased where it shrinks."""
    height, width = size
    if pixels.shape[-1] in (3, 4):
        mode = "RGB" if pixels.shape[-1] == 3 else "RGBX"  # RGBX, not RGBA: Pillow would weigh the colours by alpha
        whole = Image.frombytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())
        return np.asarray(whole.resize((width, height), Image.Resampling.BICUBIC))
    channels = [
        Image.fromarray(np.ascontiguousarray(pixels[..., channel])).resize((width, height), Image.Resampling.BICUBIC)
        for channel in range(pixels.shape[-1])
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


@dataclass(frozen=True)
class Framing:
    """What is kept of the images, and how large it is stored."""

    size: int  # pixels, the side that is stored
    native: int | None  # the side that is stored by default, None where images differ in size
    said: str  # what is cut off or squeezed, in words; empty where nothing is


def framing(options: DataOptions, sizes: Mapping[tuple[int, int], int], where: str) -> Framing:
    """How images of these (width, height), each with their number, become squares.

    Raises ZooError for a crop larger than an image, where images differ in size and no size was chosen, and where the
    largest centre square, which nobody asked for, would leave out more than MOST_LOST of the images.
    """
    smallest = min(min(size) for size in sizes)
    if options.side and options.side > smallest:
        raise ZooError(f"An image of {where} measures {smallest} pixels, less than the crop of {options.side} pixels.")
    lost = lost_share(options.side, sizes)
    kinds = f"{' x '.join(map(str, next(iter(sizes))))} px" if len(sizes) == 1 else f"{len(sizes)} different sizes"
    if options.crop is None and lost > MOST_LOST:
        pairs = all(width == 2 * height for width, height in sizes)
        hint = " Of pairs side by side in files, --source-from left or right says which half is the source."
        raise ZooError(
            f"The images in {where} have {kinds}, and the centre square of each would leave out {lost:.0%} of them. "
            f"Choose: --crop {SQUARE} (or PIXELS) keeps it, --crop {WHOLE} squeezes the whole image into a square."
            + (hint if pairs else "")
        )
    shorter = {min(size) for size in sizes}
    native = options.side or (smallest if len(shorter) == 1 else None)
    if options.image_size is None and native is None:
        raise ZooError(f"The images in {where} have different sizes: choose one with --image-size 64")
    said = ""
    if any(width != height or options.side not in (None, width) for width, height in sizes):
        middle = f"the middle {options.side} px" if options.side else "the middle square"
        said = f"{kinds} squeezed into squares" if options.crop == WHOLE else f"{middle} of {kinds}, {lost:.0%} cut off"
    return Framing(options.image_size or native or smallest, native, said)


def lost_share(side: int | None, sizes: Mapping[tuple[int, int], int]) -> float:
    """The mean share of the images' pixels that lie outside the centre square."""
    lost = sum(
        count * (1 - (side or min(width, height)) ** 2 / (width * height)) for (width, height), count in sizes.items()
    )
    return lost / sum(sizes.values())
