"""The projection term by hand, and the generator's batch normalizations by class."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError, backend, layers
from zoo.data.fields import expected_fields
from zoo.training.players import Players, build_players
from zoo.training.trainer import Trainer

SHAPE, CLASSES = (16, 16, 1), 3
LABELS = np.array([0, 2, 1, 2, 2, 0], "int32")


def drawn(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


def built(make_stack: Callable, text: str, *settings: str, classes: int | None = CLASSES, seed: int = 0) -> Players:
    return build_players(make_stack(text, *settings), expected_fields(SHAPE, classes), seed, backend.engine())


def layer_of(model: keras.Model, kind: type) -> Any:
    (found,) = [layer for layer in model.layers if isinstance(layer, kind)]
    return found


def bounded(wrapper: layers.SpectralNormalization, kernel: keras.Variable) -> np.ndarray:
    """The kernel divided by its largest singular value, whose vector the wrapper is told."""
    _, values, vectors = np.linalg.svd(numpy(kernel), full_matrices=False)
    wrapper.singular_vector.assign(vectors[:1])
    return numpy(kernel) / values[0]


@pytest.mark.parametrize("normalization", ["none", "spectral"])
def test_a_logit_is_that_below_plus_the_labels_embedding_times_the_features(
    normalization: str, make_stack: Callable
) -> None:
    players = built(make_stack, "dcgan+projection", f"discriminator_normalization={normalization}")
    if normalization == "none":
        table = numpy(layer_of(players.discriminator, keras.layers.Embedding).embeddings)
        head = layer_of(players.discriminator, keras.layers.Dense)
        kernel = numpy(head.kernel)
    else:
        wrappers = [each for each in players.discriminator.layers if isinstance(each, layers.SpectralNormalization)]
        of_head, of_table = (
            next(each for each in wrappers if isinstance(each.layer, kind))
            for kind in (keras.layers.Dense, keras.layers.Embedding)
        )
        head = of_head.layer
        kernel, table = bounded(of_head, head.kernel), bounded(of_table, of_table.layer.embeddings)
    answer = players.judging({"samples": drawn(6, *SHAPE), "labels": LABELS})
    features = numpy(answer["features"])
    by_hand = features @ kernel[:, 0] + numpy(head.bias) + (table[LABELS] * features).sum(axis=1)
    assert numpy(answer["logits"])[:, 0] == pytest.approx(by_hand, rel=1e-4, abs=1e-6)


def test_other_labels_give_other_logits(make_stack: Callable) -> None:
    discriminator = built(make_stack, "dcgan+projection").discriminator
    samples = drawn(6, *SHAPE)
    logits = [numpy(discriminator({"samples": samples, "labels": np.full(6, label)})["logits"]) for label in (0, 1, 2)]
    assert (logits[0] != logits[1]).all()
    assert (logits[1] != logits[2]).all()


def test_real_samples_are_judged_by_their_labels_and_fakes_by_those_they_were_made_of(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    terms = eager_terms(Trainer(make_stack("dcgan+hinge+projection"), tiny_dataset(classes=CLASSES)))
    assert set(terms.real_fields) == set(terms.fake_fields) == {"samples", "labels"}
    assert terms.fake_fields["labels"] is terms.latents["labels"]
    assert terms.real_fields["labels"] is terms.batch["labels"]


def test_every_batch_normalization_below_becomes_conditional_and_nothing_else_changes(make_stack: Callable) -> None:
    below, above = (built(make_stack, text).generator for text in ("dcgan", "dcgan+projection"))
    kinds = [[type(each) for each in model.layers if not isinstance(each, keras.layers.InputLayer)]
             for model in (below, above)]  # fmt: skip
    exchanged = {layers.BatchNormalization: layers.ConditionalBatchNormalization}
    assert kinds[1] == [exchanged.get(kind, kind) for kind in kinds[0]]
    assert set(above.input) == {"latents", "labels"}
    for one, other in zip(below.trainable_variables, above.trainable_variables, strict=True):
        rows = (CLASSES,) if "conditional" in other.path else ()
        assert tuple(other.shape) == (*rows, *one.shape)


@pytest.mark.parametrize("training", [True, False])
def test_with_all_labels_equal_the_generator_is_that_below_with_this_labels_rows(
    training: bool, make_stack: Callable
) -> None:
    below, above = (built(make_stack, text).generator for text in ("dcgan", "dcgan+projection"))
    for index, (one, other) in enumerate(zip(below.trainable_variables, above.trainable_variables, strict=True)):
        other.assign(drawn(*other.shape, seed=index))
        one.assign(numpy(other)[1] if one.shape != other.shape else other)
    latents = drawn(6, 3, seed=100)
    made = above({"latents": latents, "labels": np.full(6, 1)}, training=training)
    assert numpy(made) == pytest.approx(numpy(below(latents, training=training)), abs=1e-5)


def test_scales_of_all_classes_begin_as_those_below_do(make_stack: Callable) -> None:
    """DCGAN draws them from N(1, .02)."""
    generator = built(make_stack, "dcgan+projection", "width=64").generator
    gammas = np.concatenate([numpy(each).ravel() for each in generator.trainable_variables if each.name == "gamma"])
    assert gammas.mean() == pytest.approx(1, abs=5e-3)
    assert gammas.std() == pytest.approx(0.02, rel=0.1)


def test_initial_weights_are_a_function_of_the_seed(make_stack: Callable) -> None:
    one, same, other = (built(make_stack, "dcgan+projection", seed=seed).generator for seed in (1, 1, 2))
    for first, second, third in zip(*(each.trainable_variables for each in (one, same, other)), strict=True):
        assert (numpy(first) == numpy(second)).all()
        assert first.name in ("beta", "bias") or (numpy(first) != numpy(third)).any()


def test_samples_of_a_class_are_those_of_its_label(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("dcgan+projection", "critic_steps=1"), tiny_dataset(classes=CLASSES))
    trainer.step()
    sampler = trainer.sampler
    by_class = [sampler.samples(sampler.latents(5, 0, {"labels": label})) for label in range(CLASSES)]
    mixed = sampler.latents(5, 0, {"labels": [2, 0, 1, 0, 2]})
    expected = np.stack([by_class[label][place] for place, label in enumerate([2, 0, 1, 0, 2])])
    assert sampler.samples(mixed) == pytest.approx(expected, abs=1e-6)
    assert (by_class[0] != by_class[1]).any()


def test_it_goes_on_multilayer_perceptrons_too(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla+projection", "critic_steps=1"), tiny_dataset((2,), classes=CLASSES))
    assert np.isfinite(list(trainer.step().values())).all()


@pytest.mark.parametrize(
    ("stack", "settings", "classes", "message"),
    [
        ("dcgan+projection", (), None, "needs classes, and the dataset has none. Choose a labelled dataset"),
        ("vanilla+projection", ("generator_normalization=none",), 3, "finds no zoo.layers.BatchNormalization"),
    ],
)
def test_what_it_cannot_work_on_is_refused(
    stack: str, settings: tuple[str, ...], classes: int | None, message: str, make_stack: Callable
) -> None:
    with pytest.raises(ZooError, match=message):
        built(make_stack, stack, *settings, classes=classes)
