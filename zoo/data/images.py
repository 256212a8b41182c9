"""Converts single images to uint8 (S, S, C) with Pillow: EXIF rotation, channels, 8 bits, centre crop, resize.

`zoo/data/tfds/pixels.py` does the same to TFDS' images with TensorFlow.
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from zoo.data.options import DataOptions
from zoo.errors import ZooError

RESIZE = "bicubic, antialiased (Pillow)"
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MOST_PIXELS = 2**26  # 8192 x 8192: an image of more is a mistake or an attack, and would fill the memory
GRAY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N")
WHITE_OF_16_BITS = 65535
SIXTEEN_BITS = WHITE_OF_16_BITS / 255
# Pillow raises these for files that are no images, truncated or corrupt.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)


@dataclass(frozen=True)
class Header:
    """An image's size and kind, read from its first bytes."""

    size: tuple[int, int]  # width and height as stored: an EXIF rotation may exchange them
    gray: bool


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
    return Header(image.size, image.mode in GRAY_MODES)


def decoded(content: bytes, name: str, channels: int) -> np.ndarray:
    """uint8 (H, W, channels) of an image file's bytes, rotated by its EXIF data; transparency is laid over white."""
    return with_channels(ImageOps.exif_transpose(opened(content, name)), name, channels)


def with_channels(image: Image.Image, name: str, channels: int) -> np.ndarray:
    """uint8 (H, W, channels) of an image of any Pillow mode; raises ZooError for floats and more than 16 bits."""
    if image.mode == "F":
        raise ZooError(f"{name} holds floating-point values of unknown range. Store it with 8 or 16 bits a channel.")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > WHITE_OF_16_BITS:
            raise ZooError(f"{name} holds values beyond 16 bits. Store it with 8 or 16 bits a channel.")
        image = Image.fromarray(eight_bits(values))
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


def eight_bits(values: np.ndarray) -> np.ndarray:
    """uint8 of 16-bit values: the full range 0 to 65535 becomes 0 to 255."""
    return np.clip(np.rint(values / SIXTEEN_BITS), 0, 255).astype(np.uint8)


def array_with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """uint8 (H, W, channels) of a uint8 or uint16 image (H, W, C)."""
    stored = eight_bits(pixels) if pixels.dtype == np.uint16 else pixels
    if stored.shape[-1] == channels:
        return stored
    image = Image.fromarray(stored[..., 0] if stored.shape[-1] == 1 else stored)
    return with_channels(image, "the array", channels)


def square(pixels: np.ndarray, crop: int | None, size: int) -> np.ndarray:
    """uint8 (H, W, C) to (size, size, C): the centre square of side `crop` (None: of the shorter side), resized."""
    height, width, _ = pixels.shape
    side = crop or min(height, width)
    if side > min(height, width):
        raise ZooError(f"An image of {width} x {height} pixels is smaller than the crop of {side} pixels.")
    top, left = (height - side) // 2, (width - side) // 2
    centre = pixels[top : top + side, left : left + side]
    return centre if side == size else resized(centre, size)


def resized(pixels: np.ndarray, size: int) -> np.ndarray:
    """uint8 (size, size, C) of a square image (S, S, C), bicubic, antialiased where it shrinks."""
    if pixels.shape[-1] in (3, 4):
        mode = "RGB" if pixels.shape[-1] == 3 else "RGBX"  # RGBX, not RGBA: Pillow would weigh the colours by alpha
        whole = Image.frombytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())
        return np.asarray(whole.resize((size, size), Image.Resampling.BICUBIC))
    channels = [
        Image.fromarray(np.ascontiguousarray(pixels[..., channel])).resize((size, size), Image.Resampling.BICUBIC)
        for channel in range(pixels.shape[-1])
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


def size_for(options: DataOptions, sizes: set[tuple[int, int]], where: str) -> tuple[int, int | None]:
    """(side to store, side that is stored by default or None), in pixels; `sizes` are all (width, height) that occur.

    Raises ZooError for a crop larger than an image, and where images differ in size and no size was chosen.
    """
    smallest = min(min(size) for size in sizes)
    if options.crop and options.crop > smallest:
        raise ZooError(f"An image of {where} measures {smallest} pixels, less than the crop of {options.crop} pixels.")
    shorter = {min(size) for size in sizes}
    native = options.crop or (smallest if len(shorter) == 1 else None)
    if options.image_size is None and native is None:
        raise ZooError(f"The images in {where} have different sizes: choose one with --image-size 64")
    return options.image_size or native or smallest, native
