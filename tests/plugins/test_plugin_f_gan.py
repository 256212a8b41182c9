"""The bound of each divergence reaches the divergence at the paper's optimum, on a discrete space."""

from collections.abc import Callable

import numpy as np
import pytest
from by_hand import column, number
from zoo_plugins.f_gan import FGanRecipe, discriminator_loss, generator_loss

from zoo import losses

REAL, FAKE = np.array([2, 5, 1]), np.array([4, 1, 3])  # how often each of three values occurs in eight samples
Function = Callable[[np.ndarray], np.ndarray]
TABLE: dict[str, tuple[Function, Function, Function]] = {  # f, its derivative, and the logit at which T is that
    "kl": (lambda u: u * np.log(u), lambda u: np.log(u) + 1, lambda t: t),
    "reverse-kl": (lambda u: -np.log(u), lambda u: -1 / u, lambda t: -np.log(-t)),
    "pearson": (lambda u: (u - 1) ** 2, lambda u: 2 * (u - 1), lambda t: t),
    "neyman": (lambda u: (1 - u) ** 2 / u, lambda u: 1 - 1 / u**2, lambda t: -np.log(1 - t)),
    "squared-hellinger": (lambda u: (np.sqrt(u) - 1) ** 2, lambda u: 1 - u**-0.5, lambda t: -np.log(1 - t)),
    "jensen-shannon": (
        lambda u: u * np.log(u) - (u + 1) * np.log((1 + u) / 2),
        lambda u: np.log(2 * u / (1 + u)),
        lambda t: -np.log(2 * np.exp(-t) - 1),
    ),
    "gan": (
        lambda u: u * np.log(u) - (u + 1) * np.log(u + 1),
        lambda u: np.log(u / (1 + u)),
        lambda t: -np.log(np.exp(-t) - 1),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_best_discriminator_measures_the_divergence(name: str) -> None:
    f, slope, logit = TABLE[name]
    recipe, best = FGanRecipe(divergence=name), logit(slope(REAL / FAKE))

    def loss(scores: np.ndarray) -> float:
        return number(discriminator_loss(column(*np.repeat(scores, REAL)), column(*np.repeat(scores, FAKE)), recipe))

    assert loss(best) == pytest.approx(-(FAKE / 8 * f(REAL / FAKE)).sum(), rel=1e-5)
    assert min(loss(best + shift) for shift in 0.1 * np.random.default_rng(0).normal(size=(20, 3))) > loss(best)


@pytest.mark.parametrize("name", TABLE)
def test_where_both_distributions_are_equal_the_bound_at_the_threshold_is_zero(name: str) -> None:
    f, slope, logit = TABLE[name]
    at_one = column(*[float(logit(slope(np.array(1.0))))] * 3)
    bound = -number(discriminator_loss(at_one, at_one, FGanRecipe(divergence=name)))
    assert bound == pytest.approx(float(f(np.array(1.0))), abs=1e-6)  # -2 ln 2 for "gan"


def test_the_last_row_is_the_cross_entropy() -> None:
    real, fake, recipe = column(-1.0, 2.0), column(0.5, -3.0), FGanRecipe(divergence="gan")
    assert number(discriminator_loss(real, fake, recipe)) == pytest.approx(
        number(losses.cross_entropy_discriminator_loss(real, fake))
    )
    assert number(generator_loss(fake, recipe)) == pytest.approx(number(losses.non_saturating_generator_loss(fake)))
    minimax = FGanRecipe(divergence="gan", f_gan_objective="minimax")
    assert number(generator_loss(fake, minimax)) == pytest.approx(number(losses.minimax_generator_loss(fake)))
