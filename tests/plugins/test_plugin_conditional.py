"""The conditional losses against their formulas in NumPy, numbers worked by hand, and finite differences."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import e, exp, log, pi
from typing import Any

import numpy as np
import pytest
from by_hand import gradients, number, rows
from keras import ops
from zoo_plugins import acgan, contragan, infogan, reacgan, tacgan

from zoo import ZooError, backend, layers
from zoo.data.fields import expected_fields
from zoo.training.players import build_players
from zoo.training.trainer import Trainer

DRAW = np.random.default_rng(0)
LABELS = np.array([0, 2, 1, 0, 1])
OF_EMBEDDINGS = {
    "contragan": lambda outputs, labels: contragan.contrastive(outputs, labels, 0.7),
    "reacgan": lambda outputs, labels: reacgan.data_to_data(outputs, labels, REACGAN),
}
REACGAN = reacgan.ReacganRecipe(reacgan_margin=0.6, reacgan_temperature=0.7)


def labels(*values: int) -> Any:
    return ops.convert_to_tensor(np.array(values, "int32"))


def heads(**values: Any) -> dict[str, Any]:
    return {name: rows(value) for name, value in values.items()}


def embedded(embedding: Any, proxy: Any) -> dict[str, Any]:
    return heads(embedding=embedding, proxy=proxy)


def cross_entropy(logits: np.ndarray, wanted: np.ndarray) -> float:
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return float(-np.log(shares[np.arange(len(wanted)), wanted]).mean())


def slope(loss: Callable[[Any], Any], values: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(gradients(loss, rows(values)))


def differences(loss: Callable[[Any], Any], values: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of a loss by each value."""
    found = np.zeros_like(values)
    for place in np.ndindex(*values.shape):
        above, below = values.copy(), values.copy()
        above[place] += step
        below[place] -= step
        found[place] = (number(loss(rows(above))) - number(loss(rows(below)))) / (2 * step)
    return found


# ACGAN


def test_acgan_adds_the_cross_entropy_of_real_and_generated_classes_to_the_discriminators_loss() -> None:
    real, fake = (DRAW.normal(size=(5, 3)) for _ in range(2))
    asked = np.array([1, 1, 0, 2, 0])
    recipe = acgan.AcganRecipe(acgan_weight=0.5)
    given = (heads(classes=real), heads(classes=fake), labels(*LABELS), labels(*asked), recipe)
    expected = 0.5 * (cross_entropy(real, LABELS) + cross_entropy(fake, asked))
    assert number(acgan.discriminator_penalty(*given)) == pytest.approx(expected, rel=1e-5)
    made = number(acgan.generator_penalty(heads(classes=fake), labels(*asked), recipe))
    assert made == pytest.approx(0.5 * cross_entropy(fake, asked), rel=1e-5)
    assert number(acgan.discriminator_penalty(*given[:4], replace(recipe, acgan_weight=0.0))) == 0


def test_a_classifier_that_can_not_tell_costs_the_logarithm_of_the_classes() -> None:
    equal = heads(classes=np.full((5, 10), 3.0))
    assert number(acgan.generator_penalty(equal, labels(*LABELS), acgan.AcganRecipe())) == pytest.approx(log(10))


# TAC-GAN


def test_tacgan_teaches_one_classifier_of_real_samples_alone_and_its_twin_of_generated_ones() -> None:
    real, twin, unused = (DRAW.normal(size=(5, 3)) for _ in range(3))
    asked = np.array([1, 1, 0, 2, 0])
    real_outputs, fake_outputs = heads(classes=real, twin_classes=unused), heads(classes=unused, twin_classes=twin)
    found = tacgan.discriminator_penalty(
        real_outputs, fake_outputs, labels(*LABELS), labels(*asked), tacgan.TacganRecipe(tacgan_weight=2.0)
    )
    assert number(found) == pytest.approx(2 * (cross_entropy(real, LABELS) + cross_entropy(twin, asked)), rel=1e-5)


def test_where_the_twins_agree_the_generator_is_told_nothing() -> None:
    logits = DRAW.normal(size=(5, 3))

    def penalty(each: Any, twin: Any) -> Any:
        return tacgan.generator_penalty({"classes": each, "twin_classes": twin}, labels(*LABELS), tacgan.TacganRecipe())

    assert number(penalty(rows(logits), rows(logits))) == 0
    own, of_twin = (
        slope(each, logits) for each in (lambda x: penalty(x, rows(logits)), lambda x: penalty(rows(logits), x))
    )
    assert own == pytest.approx(-of_twin)
    assert np.abs(own).max() > 0.05


# ContraGAN and ReACGAN


def contrastive_by_hand(embedding: np.ndarray, proxy: np.ndarray, wanted: np.ndarray, temperature: float) -> float:
    """Equation 8 of ContraGAN, term by term."""
    embedding, proxy = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (embedding, proxy))
    total = 0.0
    for i in range(len(wanted)):
        own = exp(embedding[i] @ proxy[i] / temperature)
        others = {k: exp(embedding[i] @ embedding[k] / temperature) for k in range(len(wanted)) if k != i}
        alike = own + sum(value for k, value in others.items() if wanted[k] == wanted[i])
        total -= log(alike / (own + sum(others.values())))
    return total / len(wanted)


def data_to_data_by_hand(embedding: np.ndarray, proxy: np.ndarray, wanted: np.ndarray) -> float:
    """Equation 8 of ReACGAN, term by term."""
    embedding, proxy = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (embedding, proxy))
    margin, temperature = REACGAN.reacgan_margin, REACGAN.reacgan_temperature
    total = 0.0
    for i in range(len(wanted)):
        own = exp(min(embedding[i] @ proxy[i] - margin, 0) / temperature)
        others = [
            exp(max(embedding[i] @ embedding[k] - (1 - margin), 0) / temperature)
            for k in range(len(wanted))
            if wanted[k] != wanted[i]
        ]
        total -= log(own / (own + sum(others)))
    return total / len(wanted)


def test_both_losses_of_embeddings_equal_their_formulas() -> None:
    embedding, proxy = DRAW.normal(size=(5, 4)), DRAW.normal(size=(5, 4))
    outputs = embedded(embedding, proxy)
    expected = contrastive_by_hand(embedding, proxy, LABELS, 0.7)
    assert number(OF_EMBEDDINGS["contragan"](outputs, labels(*LABELS))) == pytest.approx(expected, rel=1e-5)
    expected = data_to_data_by_hand(embedding, proxy, LABELS)
    assert number(OF_EMBEDDINGS["reacgan"](outputs, labels(*LABELS))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", OF_EMBEDDINGS.values(), ids=list(OF_EMBEDDINGS))
def test_in_a_batch_of_one_class_nothing_is_to_be_told_apart(loss: Callable[..., Any]) -> None:
    outputs = embedded(DRAW.normal(size=(4, 3)), DRAW.normal(size=(4, 3)))
    assert number(loss(outputs, labels(1, 1, 1, 1))) == pytest.approx(0, abs=1e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("loss", OF_EMBEDDINGS.values(), ids=list(OF_EMBEDDINGS))
def test_gradients_by_embeddings_and_proxies_are_the_differences(loss: Callable[..., Any]) -> None:
    embedding, proxy = DRAW.normal(size=(5, 4)), DRAW.normal(size=(5, 4))
    for name, values in {"embedding": embedding, "proxy": proxy}.items():

        def of(each: Any, name: str = name) -> Any:
            return loss({**embedded(embedding, proxy), name: each}, labels(*LABELS))

        assert slope(of, values) == pytest.approx(differences(of, values), abs=1e-8)


@pytest.mark.parametrize("loss", OF_EMBEDDINGS.values(), ids=list(OF_EMBEDDINGS))
def test_an_embedding_of_zero_has_a_finite_gradient(loss: Callable[..., Any]) -> None:
    zeros, proxy = np.zeros((3, 4)), DRAW.normal(size=(3, 4))
    found = slope(lambda each: loss({"embedding": each, "proxy": rows(proxy)}, labels(0, 1, 2)), zeros)
    assert np.isfinite(found).all()


def test_contragan_on_equal_vectors_counts_the_samples_of_the_class() -> None:
    """Six samples, of which four, then two, are alike: log(6/4) and log(6/2)."""
    same = np.tile(DRAW.normal(size=(1, 4)), (6, 1))
    found = number(contragan.contrastive(embedded(same, same), labels(0, 0, 0, 0, 1, 1), 0.3))
    assert found == pytest.approx((4 * log(6 / 4) + 2 * log(6 / 2)) / 6, rel=1e-5)


def test_reacgan_leaves_a_sample_near_its_proxy_alone_and_counts_far_ones_of_other_classes() -> None:
    """Three orthogonal samples of three classes: each has two others, whose cosine of 0 is below 1 - margin."""
    recipe = reacgan.ReacganRecipe(reacgan_margin=0.8, reacgan_temperature=0.5)
    axes = np.eye(3)
    near = 0.9 * axes + np.sqrt(1 - 0.81) * np.roll(axes, 1, axis=1)  # a cosine of .9 to its axis
    assert number(reacgan.data_to_data(embedded(axes, near), labels(0, 1, 2), recipe)) == pytest.approx(log(1 + 2))
    far = np.roll(axes, 1, axis=1)  # a cosine of 0: (m - 0) / T = 1.6
    found = number(reacgan.data_to_data(embedded(axes, far), labels(0, 1, 2), recipe))
    assert found == pytest.approx(1.6 + log(exp(-1.6) + 2), rel=1e-5)
    still = slope(
        lambda proxy: reacgan.data_to_data({**embedded(axes, near), "proxy": proxy}, labels(0, 1, 2), recipe), near
    )
    assert np.abs(still).max() == 0


def test_each_player_learns_the_loss_of_its_own_samples() -> None:
    real, fake = (embedded(DRAW.normal(size=(5, 4)), DRAW.normal(size=(5, 4))) for _ in range(2))
    for plugin, recipe in ((contragan, contragan.ContraganRecipe()), (reacgan, reacgan.ReacganRecipe())):
        of_real = number(plugin.discriminator_penalty(real, labels(*LABELS), recipe))
        of_fake = number(plugin.generator_penalty(fake, labels(*LABELS), recipe))
        assert of_real != of_fake
        assert number(plugin.generator_penalty(real, labels(*LABELS), recipe)) == of_real


# InfoGAN


def read(code: Any, continuous: Any) -> dict[str, Any]:
    return heads(code=code, continuous=continuous)


def test_infogan_costs_what_can_not_be_read() -> None:
    logits, means, codes = DRAW.normal(size=(5, 3)), DRAW.normal(size=(5, 2)), DRAW.uniform(-1, 1, (5, 2))
    recipe = infogan.InfoganRecipe(code_weight=2.0, continuous_weight=0.5)
    given = {"code": labels(*LABELS), "continuous": rows(codes)}
    expected = 2 * cross_entropy(logits, LABELS) + 0.5 * ((codes - means) ** 2).sum(axis=1).mean() / 2
    for penalty in (infogan.discriminator_penalty, infogan.generator_penalty):
        assert number(penalty(read(logits, means), given, recipe)) == pytest.approx(expected, rel=1e-5)
    by_means = slope(
        lambda each: infogan.generator_penalty({"code": rows(logits), "continuous": each}, given, recipe), means
    )
    assert by_means == pytest.approx(0.5 * (means - codes) / 5, rel=1e-4)


def test_the_bound_is_nothing_for_a_guess_the_whole_entropy_for_a_reader_and_below_nothing_for_a_wrong_one() -> None:
    codes = np.arange(8) % 4
    sure = 50 * np.eye(4)[codes]

    def bound(logits: np.ndarray) -> float:
        return number(infogan.information(heads(code=logits), {"code": labels(*codes)})["information_code"])

    assert bound(np.zeros((8, 4))) == pytest.approx(0, abs=1e-6)
    assert bound(sure) == pytest.approx(log(4))
    assert bound(np.roll(sure, 1, axis=0)) < -10


def test_the_bound_of_continuous_codes_is_that_of_a_gaussian_as_wide_as_the_errors() -> None:
    """Errors of .1 and .2: 2 log 2 - (log(2 pi e .01) + log(2 pi e .04)) / 2."""
    codes = DRAW.uniform(-1, 1, (6, 2))
    given = {"code": labels(*np.zeros(6, int)), "continuous": rows(codes)}
    outputs = read(np.zeros((6, 2)), codes + np.array([0.1, -0.2]) * np.array([1, -1, 1, 1, -1, 1])[:, None])
    expected = 2 * log(2) - (log(2 * pi * e * 0.01) + log(2 * pi * e * 0.04)) / 2
    assert number(infogan.information(outputs, given)["information_continuous"]) == pytest.approx(expected, rel=1e-3)
    assert set(infogan.information(heads(code=np.zeros((6, 2))), {"code": given["code"]})) == {"information_code"}


def test_codes_are_drawn_uniformly_beside_the_latents_below_and_kept_by_a_condition(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+infogan", "codes=5"), tiny_dataset((2,)))
    drawn = trainer.sampler.latents(4000, seed=0)
    assert {name: each.shape[1:] for name, each in drawn.items()} == {"latents": (3,), "code": (), "continuous": (2,)}
    assert np.bincount(ops.convert_to_numpy(drawn["code"])) == pytest.approx([800] * 5, rel=0.15)
    continuous = ops.convert_to_numpy(drawn["continuous"])
    assert continuous.min() < -0.99
    assert continuous.max() > 0.99
    assert continuous.mean(axis=0) == pytest.approx(0, abs=0.05)
    asked = trainer.sampler.latents(6, seed=0, conditions={"code": 3, "continuous": [0.5, -1]})
    assert ops.convert_to_numpy(asked["code"]).tolist() == [3] * 6
    assert ops.convert_to_numpy(asked["continuous"]).tolist() == [[0.5, -1]] * 6
    one, other = (trainer.sampler.samples({**asked, "code": labels(*[code] * 6)}) for code in (0, 1))
    assert (one != other).any(axis=1).all()
    truncated = trainer.sampler.latents(50, seed=0, truncation=0.1)
    assert np.abs(ops.convert_to_numpy(truncated["latents"])).max() <= 0.2
    metrics: Mapping[str, Any] = trainer.step()
    assert metrics["generator/infogan/information_code"] <= log(5)


def test_codes_that_can_not_be_are_refused(make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="codes=1 and continuous_codes=2"):
        make_stack("vanilla+infogan", "codes=1")


# Stacks


@pytest.mark.parametrize(
    ("stack", "classes", "message"),
    [
        ("acgan", None, "Plugin 'acgan' needs classes, and the dataset has none. Choose a labelled dataset"),
        ("dcgan+cgan", None, "Plugin 'cgan' needs classes"),
        ("dcgan+reacgan", None, "Plugin 'reacgan' needs classes"),
        ("dcgan+acgan+cgan", 3, "'cgan' brings a conditional loss, .* has one already: it answers 'classes'"),
        ("dcgan+cgan+projection", 3, "'projection' brings a conditional loss, .* it takes 'labels'"),
        ("dcgan+contragan+acgan", 3, "'acgan' brings .* it takes 'labels' and answers 'embedding'"),
        ("biggan+tacgan", 3, "'tacgan' brings a conditional loss, .* it takes 'labels'"),
        ("dcgan+pacgan+acgan", 3, r"sees several at once: \(16, 16, 2\) of samples \(16, 16, 1\)"),
        ("projected+cgan", 3, "a layer of 'generator' takes no more than the 3 that it was made for"),
        ("cyclegan-negative+acgan", 3, "'acgan' joins .* to the generator's latents, and 'generator' takes"),
        ("vanilla+tacgan", 3, "finds no zoo.layers.BatchNormalization in the generator"),
    ],
)
def test_stacks_that_make_no_sense_are_refused(
    stack: str, classes: int | None, message: str, make_stack: Callable
) -> None:
    settings = ["generator_normalization=none"] if stack.startswith("vanilla") else []
    with pytest.raises(ZooError, match=message):
        build_players(make_stack(stack, *settings), expected_fields((16, 16, 1), classes), 0, backend.engine())


@pytest.mark.parametrize("stack", ["dcgan+cgan", "vanilla+cgan", "resnet+cgan"])
def test_labels_are_joined_before_a_wrapped_layer_too(stack: str, make_stack: Callable) -> None:
    """Whose wrapper's configuration holds the shape that the layer was built for."""
    made = make_stack(stack, "discriminator_normalization=spectral")
    players = build_players(made, expected_fields((16, 16, 1), 3), 0, backend.engine())
    first = next(each for each in players.discriminator.layers if isinstance(each, layers.SpectralNormalization))
    assert first.layer.kernel.shape[-2] in (1 + 3, 16 * 16 + 3)  # channels, or coordinates
