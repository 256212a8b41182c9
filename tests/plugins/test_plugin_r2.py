"""R2 against a linear critic, its interval, and the whole gradient against finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import zoo_plugins.r1
import zoo_plugins.r2
from by_hand import column, gradients, number, quadratic
from keras import ops
from measured_gradients import AGREEMENT, descended, linear, relative_error
from zoo_plugins.r2 import discriminator_penalty

from zoo import backend, losses
from zoo.training.trainer import Trainer


def test_r2_of_a_linear_critic_is_half_gamma_times_its_squared_norm(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    metrics, with_penalty = descended(*linear(tiny_dataset, make_stack, "r2", "r2_gamma=0.5"))
    without = descended(*linear(tiny_dataset, make_stack, "r2", "r2_gamma=0"))[1]
    assert float(metrics["discriminator_penalty/r2"]) == pytest.approx(0.5 / 2 * 25)
    assert (with_penalty - without)[:, 0] == pytest.approx([0.5 * 3, 0.5 * -4], rel=1e-4)


@pytest.mark.parametrize("gamma", [0.0, 0.5])
@pytest.mark.parametrize("plugin", ["r1", "r2"])
def test_the_dirac_gan_turns_without_the_penalty_and_is_drawn_in_with_it(
    plugin: str, gamma: float, make_stack: Callable
) -> None:
    """Mescheder et al. 2018, lemma 4.3: data at 0, a sample at theta, D(x) = psi x. Where both descend at once the
    eigenvalues at the equilibrium are -gamma/2 +- sqrt(gamma^2 / 4 - f'(0)^2), f'(0) = 1/2 of the cross-entropy.
    """
    recipe = make_stack(f"vanilla+{plugin}", f"{plugin}_gamma={gamma}").recipe
    penalty = {"r1": zoo_plugins.r1, "r2": zoo_plugins.r2}[plugin].discriminator_penalty

    def descent(theta: float, psi: float) -> list[float]:
        def of_critic(slope: Any) -> Any:
            def critic(fields: Any) -> Any:
                return ops.matmul(fields["samples"], slope)

            real, fake = {"samples": column(0.0)}, {"samples": column(theta)}
            held = penalty(real if plugin == "r1" else fake, critic, gradients, 0, recipe)
            return losses.cross_entropy_discriminator_loss(critic(real), critic(fake)) + held

        def of_generator(sample: Any) -> Any:
            return ops.mean(losses.non_saturating_generator_loss(sample * psi))

        return [-number(gradients(of_generator, column(theta))), -number(gradients(of_critic, column(psi)))]

    step = 0.01
    columns = [(np.array(descent(*end)) - np.array(descent(*(-each for each in end)))) / (2 * step)
               for end in ((step, 0.0), (0.0, step))]  # fmt: skip
    found = sorted(np.linalg.eigvals(np.array(columns).T), key=lambda each: each.imag)
    root = np.sqrt(complex(gamma**2 / 4 - 1 / 4))
    assert found == pytest.approx(sorted([-gamma / 2 - root, -gamma / 2 + root], key=lambda each: each.imag), abs=1e-3)


def quadratic_penalty(make_stack: Callable, update: int, *settings: str) -> float:
    """Of the critic |x|^2 / 2, whose slope at x is x, on fakes of which the squared norms are 25 and 1."""
    fake = {"samples": ops.convert_to_tensor(np.array([[3, 4], [0, 1]], "float32"))}
    recipe = make_stack("vanilla+r2", *settings).recipe
    return float(discriminator_penalty(fake, quadratic, backend.engine().input_gradients, update, recipe))


def test_r2_is_taken_at_generated_samples_and_averaged_over_them(make_stack: Callable) -> None:
    assert quadratic_penalty(make_stack, 0, "r2_gamma=0.5") == pytest.approx(0.5 / 2 * (25 + 1) / 2)


def test_lazily_it_is_taken_every_few_updates_and_is_as_many_times_as_large(make_stack: Callable) -> None:
    lazy = [quadratic_penalty(make_stack, update, "r2_gamma=0.5", "r2_interval=4") for update in range(6)]
    assert lazy == pytest.approx([4 * 3.25, 0, 0, 0, 4 * 3.25, 0])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("stack", "shape", "classes", "settings"),
    [
        ("dcgan+rpgan+r1+r2", (16, 16, 1), None, ("discriminator_normalization=none", "r1_gamma=1", "r2_gamma=2")),
        ("vanilla+pacgan+wgan_gp+r2", (2,), None, ("discriminator_normalization=layer", "dropout=0.0")),
        ("vanilla+projection+r1+r2", (3,), 3, ("discriminator_normalization=none", "dropout=0.0")),
    ],
)
def test_the_whole_gradient_equals_finite_differences(
    stack: str, shape: tuple[int, ...], classes: int | None, settings: tuple[str, ...],
    tiny_dataset: Callable, make_stack: Callable,
) -> None:  # fmt: skip
    made = make_stack(f"{stack}+descent", "critic_steps=1", *settings, plugins=["descent"])
    assert relative_error(Trainer(made, tiny_dataset(shape, classes=classes))) < AGREEMENT
