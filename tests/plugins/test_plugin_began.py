"""The controller by hand, the autoencoder's loss, and the rates."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from by_hand import column, number, slopes
from keras import ops
from zoo_plugins.began import BeganRecipe, discriminator, discriminator_loss, generator_loss, observe, schedule

from zoo.training.trainer import Trainer

RECIPE = BeganRecipe(latent_size=4, autoencoder_width=2)


def controller(value: float) -> dict[str, keras.Variable]:
    return {"began_k": keras.Variable(value, trainable=False)}


def test_k_moves_by_the_balance_of_both_errors() -> None:
    variables = controller(0.2)
    logged = observe("discriminator", column(-0.3, -0.5), column(-0.1, -0.1), variables, RECIPE)
    assert float(variables["began_k"]) == pytest.approx(0.2 + 0.001 * (0.5 * 0.4 - 0.1))
    assert float(logged["convergence"]) == pytest.approx(0.4 + 0.1)
    assert observe("generator", None, None, variables, RECIPE) == {}


@pytest.mark.parametrize(("start", "fake", "end"), [(0.0, -0.9, 0.0), (1.0, 0.0, 1.0)])
def test_k_stays_between_zero_and_one(start: float, fake: float, end: float) -> None:
    variables = controller(start)
    observe("discriminator", column(-0.4), column(fake), variables, RECIPE)
    assert float(variables["began_k"]) == end


def test_with_a_k_of_zero_the_discriminator_is_an_autoencoder_of_real_images() -> None:
    real, fake = column(-0.3, -0.5), column(-0.1, -0.9)
    assert number(discriminator_loss(real, fake, controller(0.0))) == pytest.approx(0.4)
    variables = controller(0.0)
    assert slopes(lambda each: discriminator_loss(real, each, variables), fake).tolist() == [0, 0]
    assert number(discriminator_loss(real, fake, controller(0.5))) == pytest.approx(0.4 - 0.5 * 0.5)
    assert number(generator_loss(fake)) == pytest.approx(0.5)


def test_logits_are_minus_the_mean_absolute_error() -> None:
    images = np.random.default_rng(0).normal(size=(3, 16, 16, 2)).astype("float32")
    made = {name: ops.convert_to_numpy(each) for name, each in discriminator((16, 16, 2), RECIPE)(images).items()}
    errors = np.abs(made["reconstruction"] - images).mean(axis=(1, 2, 3))
    assert made["logits"][:, 0] == pytest.approx(-errors, rel=1e-5)


def test_rates_are_halved_down_to_the_lowest() -> None:
    rates = [
        float(schedule(step, RECIPE)["generator_learning_rate"]) for step in (0, 99_999, 100_000, 200_000, 900_000)
    ]
    assert rates == pytest.approx([8e-5, 8e-5, 4e-5, 2e-5, 2e-5])


def test_the_controller_moves_once_an_update_and_is_saved(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("began", "began_gamma=5", "began_rate=0.01"), tiny_dataset((16, 16, 1)))
    metrics = trainer.step()
    assert 0 < trainer.state()["plugin/began_k"] == pytest.approx(metrics["discriminator/began/k"])
