"""Labelled images as TFRecord: `image/encoded` (PNG), `image/class/label`, `image/class/text`, `generated`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zoo.base.files import WRITING
from zoo.data.images import as_png
from zoo.errors import ZooError

Write = Callable[[np.ndarray, int, str, bool], None]


@contextmanager
def record_file(path: Path) -> Iterator[Write]:
    """A function that writes an image (H, W, C), the number and name of its class, and whether it was generated.

    The file has its name once it is whole. Raises ZooError where TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ZooError(
            "TFRecord files are written by TensorFlow, which is not installed. Use --out FILE.npz."
        ) from error
    temporary = path.with_name(f"{WRITING}{path.name}")

    def write(image: np.ndarray, label: int, name: str, generated: bool) -> None:
        feature = {
            "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[as_png(image)])),
            "image/format": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"png"])),
            "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            "image/class/text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()])),
            "generated": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(generated)])),
        }
        example = tf.train.Example(features=tf.train.Features(feature=feature))
        writer.write(example.SerializeToString(deterministic=True))

    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            yield write
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
