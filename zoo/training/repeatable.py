"""Whether a device gives the same bits twice, which --deterministic asks of it: tried, not believed."""

import numpy as np

from zoo.errors import ZooError
from zoo.training.trainer import Trainer


def check_repeatable(trainer: Trainer) -> None:
    """Where a run asks a GPU for it, trains the next step twice from the same state, and leaves that as it was.

    Raises ZooError where the bits differ: there are kernels whose sums depend on the order in which threads arrive.
    Another process may still compile other kernels; the engine's flags are to prevent that.
    """
    engine = trainer.engine
    if not engine.deterministic or engine.kind == "cpu":
        return
    before = trainer.state()
    states = []
    for _ in range(2):
        trainer.train(1)
        states.append(trainer.state())
        trainer.set_state(before)
    one, other = states
    differing = [name for name in one if not np.array_equal(one[name], other[name], equal_nan=True)]
    if differing:
        raise ZooError(
            f"--deterministic: one step, taken twice from the same state on {', '.join(engine.device_names())}, gave "
            f"other bits in {len(differing)} of {len(one)} arrays, such as '{differing[0]}'. This device, or a "
            "layer of the stack, can't repeat itself: leave --deterministic out, or train on a CPU."
        )
