"""`zoo run` with the words given, which also keeps the state as it was right after a checkpoint was loaded.

A program: `crossing.py STATE.npz run vanilla ...`.
"""

import sys

import numpy as np

import zoo.training.loop
from zoo.cli import main


class Keeping(zoo.training.loop.Training):
    """Keeps the state that it begins with."""

    path: str

    def resume(self) -> None:
        super().resume()
        np.savez(self.path, **self.trainer.state())


if __name__ == "__main__":
    Keeping.path = sys.argv[1]
    zoo.training.loop.Training = Keeping
    main(sys.argv[2:])
