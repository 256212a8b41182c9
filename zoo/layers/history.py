"""A history of generated images for the critic (Shrivastava et al. 2016, https://arxiv.org/abs/1612.07828)."""

import keras
from keras import ops

from zoo.layers.exact import Tensor


def from_history(
    images: Tensor, pool: Tensor, count: Tensor, seed: keras.random.SeedGenerator
) -> tuple[Tensor, Tensor]:
    """What the critic sees of `images` (B, ...), and the pool (P, ...) of `count` images after it (section 2.3).

    While there is room, an image is shown and stored; then each is, with equal chances, shown, or stored in the place
    of another that is shown instead. Within a batch no place is taken twice.
    """
    batch, size = ops.shape(images)[0], ops.shape(pool)[0]
    from_batch = ops.arange(size) - count
    is_new = ops.logical_and(from_batch >= 0, from_batch < batch)
    filled = ops.where(as_column(is_new, pool), ops.take(images, ops.clip(from_batch, 0, batch - 1), axis=0), pool)
    places = ops.argsort(keras.random.uniform((size,), seed=seed))[:batch]
    is_swapped = ops.logical_and(count + ops.arange(batch) >= size, keras.random.uniform((batch,), seed=seed) < 0.5)
    is_swapped = as_column(is_swapped, images)
    old = ops.take(filled, places, axis=0)
    changed = ops.scatter_update(filled, ops.expand_dims(places, -1), ops.where(is_swapped, images, old))
    return ops.where(is_swapped, old, images), changed


def as_column(flags: Tensor, images: Tensor) -> Tensor:
    """Flags (B,) as (B, 1, 1, 1)."""
    return ops.reshape(flags, (-1,) + (1,) * (len(images.shape) - 1))
