"""Images as the page holds them: an element with its pixels inside, so that a sample is one answer of the server."""

import html

import numpy as np

from zoo.base.html import data_uri
from zoo.base.pictures import as_rgb
from zoo.data.images import as_png

SMALL = 128  # pixels, up to which an image is enlarged pixel by pixel


def png(pixels: np.ndarray) -> bytes:
    """The file of a uint8 image (H, W, C): gray of one channel, else RGB."""
    return as_png(pixels if pixels.shape[-1] == 1 else as_rgb(pixels))


def figure(pixels: np.ndarray, said: str, caption: str = "") -> str:
    """HTML of a uint8 image (H, W, C); `said` is what a screen reader says."""
    return framed(png(pixels), "png", pixels.shape[1::-1], said, caption)


def framed(content: bytes, kind: str, size: tuple[int, ...], said: str, caption: str = "") -> str:
    """HTML of an image file."""
    shown = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    kinds = "sample small" if max(size) <= SMALL else "sample"
    return (
        f'<figure class="{kinds}"><img width="{size[0]}" height="{size[1]}" alt="{html.escape(said)}" '
        f'src="{data_uri(content, kind)}">{shown}</figure>'
    )


def pair(given: np.ndarray, made: np.ndarray, captions: tuple[str, str], said: str) -> str:
    """HTML of what was given and what was made of it, beside one another."""
    first = figure(given, captions[0], captions[0])
    return f'<div class="pair">{first}{figure(made, said, captions[1])}</div>'
