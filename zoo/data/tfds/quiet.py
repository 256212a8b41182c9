"""TFDS and TensorFlow without their log lines."""

import contextlib
import io
import logging
from collections.abc import Iterator
from typing import Any

from zoo.backend import set_defaults
from zoo.base.output import steady_stderr


def imported_tfds() -> Any:
    """The module tensorflow_datasets, its progress bars disabled where stderr is no terminal."""
    set_defaults()
    import tensorflow_datasets as tfds

    if not steady_stderr().isatty():
        tfds.disable_progress_bar()
    return tfds


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hides what TFDS prints to stdout, and absl's warnings about folders that are not prepared yet."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
