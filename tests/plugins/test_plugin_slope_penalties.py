"""WGAN-LP, WGAN-div, DRAGAN and 0-GP at critics whose slope is known, and what they refuse or warn of."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import column, gradients, linear, number, quadratic, rows
from keras import ops
from zoo_plugins import dragan, wgan_div, wgan_lp, zero_gp

from zoo import ZooError
from zoo.errors import ZooWarning
from zoo.training.trainer import Trainer

REAL, FAKE = rows([[2.0, 2.0]] * 500), rows([[4.0, 4.0]] * 500)


def penalty(module: Any, critic: Callable[[Any], Any], recipe: Any, real: Any = REAL) -> float:
    given = {"real_fields": {"samples": real}, "fake_samples": FAKE, "discriminate": critic, "gradients": gradients}
    if module is dragan:
        del given["fake_samples"]
    return number(module.discriminator_penalty(**given, seed=keras.random.SeedGenerator(0), recipe=recipe))


def watched(critic: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], list[np.ndarray]]:
    """The critic, and a list of the points that it is asked about."""
    seen: list[np.ndarray] = []

    def watching(fields: Any) -> Any:
        seen.append(ops.convert_to_numpy(fields["samples"]))
        return critic(fields)

    return watching, seen


@pytest.mark.parametrize(("length", "expected"), [(0.5, 0.0), (1.0, 0.0), (5.0, 16.0)])
def test_wgan_lp_costs_nothing_below_a_slope_of_one(length: float, expected: float) -> None:
    recipe = wgan_lp.WganLpRecipe(lipschitz_penalty=3.0)
    assert penalty(wgan_lp, linear(0.6 * length, -0.8 * length), recipe) == pytest.approx(3 * expected, abs=1e-5)


def test_wgan_lps_gradient_is_zero_below_a_slope_of_one() -> None:
    def of_weights(weights: Any) -> Any:
        return wgan_lp.discriminator_penalty(
            {"samples": REAL}, FAKE, lambda fields: ops.matmul(fields["samples"], weights), gradients,
            keras.random.SeedGenerator(0), wgan_lp.WganLpRecipe(),
        )  # fmt: skip

    assert ops.convert_to_numpy(gradients(of_weights, column(0.3, -0.4))).tolist() == [[0], [0]]
    slope = ops.convert_to_numpy(gradients(of_weights, column(3.0, -4.0)))[:, 0]
    assert slope == pytest.approx(2 * 10 * (5 - 1) * np.array([0.6, -0.8]), rel=1e-5)


def test_wgan_div_is_a_power_of_the_slope() -> None:
    recipe = wgan_div.WganDivRecipe()
    assert penalty(wgan_div, linear(3.0, -4.0), recipe) == pytest.approx(2 * 5.0**6)
    assert penalty(wgan_div, linear(0.0, 0.0), recipe) == 0


def test_at_best_wgan_divs_slope_between_two_points_at_distance_d_is_the_fifth_root_of_d_by_12() -> None:
    """-slope d + 2 slope^6, a linear critic's, is least where d = 12 slope^5."""
    distance = 3.0
    real, fake, recipe = rows([[distance]] * 4), rows([[0.0]] * 4), wgan_div.WganDivRecipe(divergence_weight=2.0)

    def loss(slope: Any) -> Any:
        def critic(fields: Any) -> Any:
            return ops.matmul(fields["samples"], slope)

        seed = keras.random.SeedGenerator(0)
        held = wgan_div.discriminator_penalty({"samples": real}, fake, critic, gradients, seed, recipe)
        return wgan_div.discriminator_loss(critic({"samples": real}), critic({"samples": fake})) + held

    best = (distance / 12) ** (1 / 5)
    below, at, above = (number(gradients(loss, column(best * each))) for each in (0.9, 1.0, 1.1))
    assert at == pytest.approx(0, abs=1e-4)
    assert below < -0.5 < 0.5 < above


def test_zero_gp_is_the_squared_slope_between_real_and_generated_samples() -> None:
    recipe = zero_gp.ZeroGpRecipe(zero_gp_weight=3.0)
    assert penalty(zero_gp, linear(3.0, -4.0), recipe) == pytest.approx(3 * 25)
    critic, seen = watched(quadratic)
    found = penalty(zero_gp, critic, recipe)
    (points,) = seen
    assert 2 <= points.min() < 2.1 < 3.9 < points.max() <= 4
    assert found == pytest.approx(3 * np.mean((points**2).sum(axis=1)), rel=1e-4)


def test_dragan_looks_at_the_data_and_its_noise_alone() -> None:
    real = np.random.default_rng(0).normal(size=(500, 2))
    critic, seen = watched(quadratic)
    recipe = dragan.DraganRecipe(dragan_penalty=3.0)
    found = penalty(dragan, critic, recipe, rows(real))
    (points,) = seen
    moves = (points - real) / (0.5 * real.std())
    assert -1.001 <= moves.min() < -0.8 < 0.8 < moves.max() <= 1.001  # at most half a deviation of the batch
    assert moves.mean() == pytest.approx(0, abs=0.05)
    assert found == pytest.approx(3 * np.mean((np.linalg.norm(points, axis=1) - 1) ** 2), rel=1e-4)


def test_dragan_stays_at_data_that_does_not_vary() -> None:
    critic, seen = watched(linear(3.0, -4.0))
    assert penalty(dragan, critic, dragan.DraganRecipe(), rows(np.ones((4, 2)))) == pytest.approx(10 * 16)
    assert (seen[0] == 1).all()


@pytest.mark.parametrize("name", ["wgan_lp", "wgan_div", "dragan", "mmd_gan", "cramer_gan"])
def test_batch_normalization_is_refused_and_spectral_normalization_warned_of(
    name: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    with pytest.raises(ZooError, match=f"'{name}' can't hold a critic with batch normalization to its penalty"):
        Trainer(make_stack(f"vanilla+{name}", "discriminator_normalization=batch"), tiny_dataset((2,)))
    with pytest.warns(ZooWarning, match=f"twice, by spectral normalization and by the penalty of '{name}'"):
        Trainer(make_stack(f"vanilla+{name}", "discriminator_normalization=spectral"), tiny_dataset((2,)))
