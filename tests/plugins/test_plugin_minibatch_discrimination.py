"""The discriminator sees the others of its batch."""

from collections.abc import Callable

import numpy as np
from keras import ops

from zoo.training.trainer import Trainer


def test_a_logit_depends_on_the_batch_and_takes_features_and_their_nearness(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+minibatch_discrimination", "dropout=0.0"), tiny_dataset((2,)))
    model = trainer.players.discriminator
    assert model.layers[-1].kernel.shape == (8 + 100, 1)
    near, far = (np.array([[0.5, 0.5], other], "float32") for other in ([0.5, 0.4], [9.0, 9.0]))
    logits = [float(model({"samples": batch})["logits"][0, 0]) for batch in (near, far)]
    assert logits[0] != logits[1]
    compared = model.layers[-2]
    features = model.get_layer("features").output
    assert compared.input.shape == features.shape


def test_it_has_the_features_that_plugins_above_build_on(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    stack = make_stack("dcgan+minibatch_discrimination+feature_matching")
    terms = eager_terms(Trainer(stack, tiny_dataset((16, 16, 1))), "generator")
    assert ops.shape(terms.real_features) == (4, 64)
