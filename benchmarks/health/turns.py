"""A plugin whose generator turns against its game: it flees from what it had learned, and then gets next to nothing."""

from typing import Any

from keras import ops

from zoo import hookimpl


@hookimpl(wrapper=True)
def generator_loss(progress: Any) -> Any:
    """The loss, its negative, and a hundred thousandth of that."""
    loss = yield
    return loss * ops.where(progress < 0.4, 1.0, ops.where(progress < 0.7, -1.0, -1e-5))
