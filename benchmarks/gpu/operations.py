"""The floating-point operations that a training step of a run needs: python -m benchmarks.gpu.operations RUN

Counted by XLA in a forward pass of each network on JAX, 2 for a multiplication with addition; a pass back by a layer's
inputs or by its weights costs what a pass forwards does. An update of the discriminator draws samples, and takes real
and generated ones forwards and both ways back; one of the generator takes its samples forwards through both, back
through the discriminator by inputs alone, and through itself both ways. Penalties and augmentations are not counted.
"""

import json
import os
import sys
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import numpy as np

import zoo
from zoo import backend
from zoo.training.players import build_discriminator, build_generator

BATCH = 64


def main() -> None:
    """Prints the operations of a step, and what they are counted from, as JSON."""
    run = zoo.load(sys.argv[1])
    engine = backend.engine()
    generator = forwards(build_generator(run.stack, run.fields, engine))
    discriminator = forwards(build_discriminator(run.stack, run.fields, engine))
    recipe = run.stack.recipe
    of_discriminator = recipe.critic_steps * recipe.batch_size * (generator + 6 * discriminator)
    of_generator = recipe.generator_steps * recipe.generator_batch_factor * recipe.batch_size
    found = {
        "generator_forwards": generator,
        "discriminator_forwards": discriminator,
        "step": of_discriminator + of_generator * (3 * generator + 2 * discriminator),
        "images": recipe.critic_steps * recipe.batch_size,
    }
    print(json.dumps(found))


def forwards(model: Any) -> float:
    """The operations of a forward pass, a sample."""
    inputs = [np.zeros((BATCH, *each.shape[1:]), each.dtype) for each in model.inputs]
    traced = jax.jit(lambda given: model(given if len(given) > 1 else given[0], training=False)).lower(inputs)
    return float(traced.cost_analysis()["flops"]) / BATCH


if __name__ == "__main__":
    main()
