"""What the papers say of each shipped variant."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops

from zoo import backend, layers
from zoo.data.fields import expected_fields
from zoo.training.players import Players, build_players


def built(make_stack: Callable, text: str, *settings: str, shape: tuple[int, ...] = (32, 32, 3)) -> Players:
    return build_players(make_stack(text, *settings), expected_fields(shape, None), 0, backend.engine())


def kinds(model: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


def rates(optimizer: keras.Optimizer) -> dict[str, float]:
    names = ("learning_rate", "beta_1", "beta_2", "rho", "momentum", "epsilon")
    return {name: float(getattr(optimizer, name)) for name in names if hasattr(optimizer, name)}


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("vanilla", {"critic_steps": 1, "generator_objective": "non-saturating"}),
        ("dcgan", {"batch_size": 128, "latent_size": 100, "critic_steps": 1, "generator_learning_rate": 2e-4}),
        ("wgan", {"batch_size": 64, "critic_steps": 5, "clip": 0.01, "discriminator_learning_rate": 5e-5}),
        ("wgan-gp", {"batch_size": 64, "critic_steps": 5, "gradient_penalty": 10, "generator_learning_rate": 1e-4}),
    ],
)
def test_the_papers_values_hold_where_nothing_else_is_said(
    variant: str, expected: dict[str, object], make_stack: Callable
) -> None:
    recipe = make_stack(variant, tiny=False).recipe
    assert {name: getattr(recipe, name) for name in expected} == expected


@pytest.mark.parametrize("text", ["vanilla", "dcgan"])
def test_adam_is_radfords(text: str, make_stack: Callable) -> None:
    players = built(make_stack, text)
    for optimizer in (players.generator_optimizer, players.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert rates(optimizer) == pytest.approx(
            {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8}
        )


def test_wgan_trains_by_rmsprop_as_the_papers_code_does(make_stack: Callable) -> None:
    players = built(make_stack, "wgan")
    for optimizer in (players.generator_optimizer, players.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.RMSprop)
        expected = {"learning_rate": 5e-5, "rho": 0.99, "momentum": 0, "epsilon": 1e-16}
        assert rates(optimizer) == pytest.approx(expected, rel=1e-6, abs=0)


def test_wgan_gp_trains_by_adam_without_first_momentum(make_stack: Callable) -> None:
    players = built(make_stack, "wgan-gp")
    for optimizer in (players.generator_optimizer, players.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert rates(optimizer) == pytest.approx({"learning_rate": 1e-4, "beta_1": 0, "beta_2": 0.9, "epsilon": 1e-8})


def test_dcgan_normalizes_all_but_the_generators_last_and_the_discriminators_first_layer(make_stack: Callable) -> None:
    players = built(make_stack, "dcgan")
    generator, discriminator = kinds(players.generator), kinds(players.discriminator)
    block = ["Conv2DTranspose", "BatchNormalization", "ReLU"]
    assert generator == ["InputLayer", "Dense", "Reshape", "BatchNormalization", "ReLU", *block * 2, "Conv2DTranspose"]
    assert players.generator.layers[-1].activation is keras.activations.tanh
    block = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    assert discriminator == ["InputLayer", "Conv2D", "LeakyReLU", *block * 2, "Flatten", "Dense"]
    slopes = {each.negative_slope for each in players.discriminator.layers if isinstance(each, keras.layers.LeakyReLU)}
    assert slopes == {0.2}


def test_dcgan_neither_pools_nor_has_hidden_dense_layers(make_stack: Callable) -> None:
    players = built(make_stack, "dcgan", shape=(64, 64, 3))
    assert kinds(players.discriminator).count("Dense") == 1
    assert not any("Pool" in kind or "UpSampling" in kind for kind in kinds(players.discriminator))
    strides = {each.strides for each in players.discriminator.layers if isinstance(each, keras.layers.Conv2D)}
    assert strides == {(2, 2)}


def test_dcgans_weights_begin_as_normal_numbers_of_deviation_two_hundredths(make_stack: Callable) -> None:
    players = built(make_stack, "dcgan", "width=16", shape=(64, 64, 3))
    for model in (players.generator, players.discriminator):
        for weight in model.trainable_variables:
            value = ops.convert_to_numpy(weight)
            if weight.name == "kernel" and value.size > 10_000:
                assert value.std() == pytest.approx(0.02, rel=0.05)
                assert abs(value.mean()) < 1e-3
                assert np.abs(value).max() > 0.06  # not truncated at two deviations


def test_dcgan_at_the_papers_size_has_the_papers_channels(make_stack: Callable) -> None:
    players = built(make_stack, "dcgan", "width=128", shape=(64, 64, 3))
    maps = [each.output.shape[1:] for each in players.generator.layers if isinstance(each, keras.layers.ReLU)]
    assert maps == [(4, 4, 1024), (8, 8, 512), (16, 16, 256), (32, 32, 128)]


def test_wgan_gps_critic_has_layer_normalization_in_place_of_batch_normalization(make_stack: Callable) -> None:
    players = built(make_stack, "wgan-gp")
    assert "BatchNormalization" in kinds(players.generator)
    assert "BatchNormalization" not in kinds(players.discriminator)
    assert any(isinstance(layer, layers.LayerNormalization) for layer in players.discriminator.layers)


def test_vanillas_generator_ends_in_tanh_for_images_and_without_bounds_for_points(make_stack: Callable) -> None:
    for shape, activation in (((16, 16, 3), keras.activations.tanh), ((2,), keras.activations.linear)):
        generator = built(make_stack, "vanilla", shape=shape).generator
        last = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dense)][-1]
        assert last.activation is activation


def test_vanillas_discriminator_drops_units_and_its_generator_does_not(make_stack: Callable) -> None:
    players = built(make_stack, "vanilla")
    assert kinds(players.discriminator).count("Dropout") == 2
    assert "Dropout" not in kinds(players.generator)


def test_vanilla_has_both_of_the_papers_generator_losses(make_stack: Callable) -> None:
    from zoo_plugins.vanilla import generator_loss

    logits = ops.zeros((4, 1))
    for objective, value in (("non-saturating", np.log(2)), ("minimax", -np.log(2))):
        recipe = make_stack("vanilla", f"generator_objective={objective}").recipe
        assert ops.convert_to_numpy(generator_loss(logits, recipe)) == pytest.approx(np.full((4, 1), value))


@pytest.mark.parametrize("text", ["vanilla", "dcgan", "wgan", "wgan-gp", "vanilla+wgan", "vanilla+wgan_gp"])
def test_every_discriminator_ends_in_one_linear_logit_after_its_features(text: str, make_stack: Callable) -> None:
    discriminator = built(make_stack, text).discriminator
    assert discriminator.layers[-2].name == "features"
    assert discriminator.layers[-1].activation is keras.activations.linear


def test_initial_weights_are_a_function_of_the_seed(make_stack: Callable) -> None:
    stack = make_stack("dcgan")
    one, same, other = (
        build_players(stack, expected_fields((16, 16, 1), None), seed, backend.engine()) for seed in (1, 1, 2)
    )
    kernels = [ops.convert_to_numpy(each.generator.trainable_variables[0]) for each in (one, same, other)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])
