"""Pictures of samples: grids of images, scatter plots of points, and the animation of a run's grids."""

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.base.files import atomic_file

GAP = 2  # pixels between the images of a grid
SMALLEST_GRID = 480  # pixels; smaller grids are enlarged by a whole factor
FRAME = 160  # milliseconds that an animation shows a picture
LAST_FRAME = 2000  # milliseconds
PLOT_POINTS = 2000  # points that a scatter plot draws at most; more would hide one another
RAREST = 0.001  # share of the real coordinates, at either end, that may fall outside a scatter plot


def to_uint8(samples: np.ndarray) -> np.ndarray:
    """Images in [-1, 1] as uint8, rounded to the nearest."""
    return np.clip(np.rint((samples + 1.0) * 127.5), 0, 255).astype(np.uint8)


def from_pixels(pixels: Any) -> Any:
    """Floats in [0, 255], an array or a tensor of any backend, as models are given images: in [-1, 1]."""
    return pixels / 127.5 - 1


def as_rgb(images: np.ndarray) -> np.ndarray:
    """Images (..., C) as RGB: the colours of 3 or more channels, else the first channel three times."""
    return images[..., :3] if images.shape[-1] >= 3 else np.repeat(images[..., :1], 3, axis=-1)


def stretched(images: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Images or maps (N, H, W, ...) at another height and width, pixels repeated, or left out where it is smaller."""
    rows, columns = (np.arange(new) * old // new for new, old in zip(size, images.shape[1:3], strict=True))
    return np.asarray(images[:, rows][:, :, columns])


def grid(images: np.ndarray, columns: int | None = None) -> Image.Image:
    """A grid of uint8 images (N, H, W, C), row by row: RGB of 3 or 4 channels, else the first channel in gray."""
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    colours = as_rgb(images if channels in (3, 4) else images[..., :1])
    canvas = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, np.uint8)
    for index, image in enumerate(colours):
        top, left = GAP + index // columns * (height + GAP), GAP + index % columns * (width + GAP)
        canvas[top : top + height, left : left + width] = image
    factor = math.ceil(SMALLEST_GRID / canvas.shape[0])
    picture = Image.fromarray(canvas)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def scatter(points: np.ndarray, real: np.ndarray) -> Image.Image:
    """The first two coordinates of generated points (N, D) over real ones, in their original units."""
    return plot([(real, "#b8bfc6", "real"), (points, "#c2410c", "generated")], real)


def scatter_real(points: np.ndarray) -> Image.Image:
    """The first two coordinates of real points (N, D) alone."""
    return plot([(points, "#3b6ea5", "real")], points)


def plot(sets: Sequence[tuple[np.ndarray, str, str]], real: np.ndarray) -> Image.Image:
    """A scatter plot of (points (N, D), colour, name) sets, in the range of the `real` points (M, D)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), dpi=110, layout="tight")
    axes = figure.subplots()
    for each, colour, label in sets:
        axes.scatter(each[:PLOT_POINTS, 0], each[:PLOT_POINTS, 1], s=4, c=colour, label=label, linewidths=0)
    low, high = np.quantile(real, (RAREST, 1 - RAREST))
    margin = 0.25 * (high - low)
    axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin), aspect="equal")
    axes.legend(loc="upper right", markerscale=3, frameon=False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def save_picture(picture: Image.Image, path: Path) -> None:
    """Writes a picture atomically, in the format of the path's suffix."""
    with atomic_file(path) as file:
        picture.save(file, format=path.suffix.lstrip(".").upper())


def save_animation(pictures: Sequence[Path], path: Path) -> None:
    """Writes the pictures as the frames of one animated WebP, the last of which is shown longer."""
    frames = [Image.open(BytesIO(each.read_bytes())).convert("RGB") for each in pictures]
    durations = [FRAME] * (len(frames) - 1) + [LAST_FRAME]
    with atomic_file(path) as file:
        frames[0].save(
            file, format="WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=80
        )
