"""Films: pictures one after the other as a GIF, an animated WebP or an MP4."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.base.files import WRITING, atomic_file
from zoo.errors import ZooError

GIF, WEBP, MP4 = ".gif", ".webp", ".mp4"
FPS = 24
# One thread and no note of the encoder's version, so that the same frames make the same file.
SAME_BYTES = ("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-crf", "18")


def check_film(path: Path) -> None:
    """Raise ZooError where a film of this kind can't be written here, before anything is drawn."""
    if path.suffix == MP4 and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ZooError("An .mp4 needs imageio-ffmpeg: pip install 'gan-zoo[video]'. A .gif or .webp needs nothing.")


def save_film(pictures: Sequence[Image.Image], path: Path, fps: float = FPS) -> None:
    """Write pictures of one size as a film, which repeats for ever where its kind can say so."""
    check_film(path)
    if path.suffix == MP4:
        save_mp4(pictures, path, fps)
        return
    ends = np.rint(np.arange(1, len(pictures) + 1) * 100 / fps).astype(int) * 10  # a GIF counts in hundredths
    durations = np.maximum(np.diff(ends, prepend=0), 10).tolist()
    settings: dict[str, Any] = {"quality": 85} if path.suffix == WEBP else {}
    with atomic_file(path) as file:
        pictures[0].save(
            file,
            format=path.suffix[1:].upper(),
            save_all=True,
            append_images=list(pictures[1:]),
            duration=durations,
            loop=0,
            **settings,
        )


def save_mp4(pictures: Sequence[Image.Image], path: Path, fps: float) -> None:
    """By H.264, whose sides must be even: a row or column more where they are not."""
    import imageio_ffmpeg

    width, height = (side + side % 2 for side in pictures[0].size)
    temporary = path.with_name(f"{WRITING}{path.name}")
    writer = imageio_ffmpeg.write_frames(
        str(temporary),
        (width, height),
        fps=fps,
        codec="libx264",
        quality=None,
        macro_block_size=1,
        output_params=list(SAME_BYTES),
    )
    try:
        writer.send(None)
        for picture in pictures:
            canvas = Image.new("RGB", (width, height), "white")
            canvas.paste(picture)
            writer.send(np.ascontiguousarray(canvas))
        writer.close()
        temporary.replace(path)
    finally:
        writer.close()
        temporary.unlink(missing_ok=True)
