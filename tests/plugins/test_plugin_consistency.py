"""CR, bCR and zCR: where they are zero, what they compare, and what they refuse."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import linear, number, rows
from keras import ops
from zoo_plugins import bcr, cr, zcr

from zoo import ZooError
from zoo.training.trainer import Trainer

DRAW = np.random.default_rng(0)
WEIGHTS = DRAW.normal(size=(64, 1)).astype("float32")
IMAGES = [DRAW.normal(size=(6, 8, 8, 1)).astype("float32") for _ in range(2)]


class Critic:
    """Linear on pixels; remembers what it judged."""

    def __init__(self) -> None:
        self.judged: list[np.ndarray] = []

    def __call__(self, fields: Any) -> Any:
        self.judged.append(ops.convert_to_numpy(fields["samples"]))
        return ops.matmul(ops.reshape(fields["samples"], (-1, 64)), WEIGHTS)


def of_images(module: Any, real: np.ndarray, fake: np.ndarray, **weights: float) -> tuple[float, list[np.ndarray]]:
    critic, given = Critic(), {"real_fields": {"samples": rows(real)}, "fake_fields": {"samples": rows(fake)}}
    given |= {"real_logits": critic(given["real_fields"]), "fake_logits": critic(given["fake_fields"])}
    names = ("real_fields", "real_logits") if module is cr else tuple(given)
    recipe = (cr.CrRecipe if module is cr else bcr.BcrRecipe)(**weights)
    penalty = module.discriminator_penalty(
        **{name: given[name] for name in names}, discriminate=critic, seed=keras.random.SeedGenerator(0), recipe=recipe
    )
    return number(penalty), critic.judged[2:]


def change(images: np.ndarray, moved: np.ndarray) -> float:
    return float(np.mean(((images - moved).reshape(-1, 64) @ WEIGHTS) ** 2))


def test_cr_compares_real_images_with_moved_ones() -> None:
    penalty, (moved,) = of_images(cr, *IMAGES, cr_weight=3.0)
    assert (moved != IMAGES[0]).any()
    assert penalty == pytest.approx(3 * change(IMAGES[0], moved), rel=1e-4)


def test_bcr_compares_generated_ones_too_with_other_moves() -> None:
    penalty, moved = of_images(bcr, *IMAGES, bcr_real_weight=3.0, bcr_fake_weight=5.0)
    assert penalty == pytest.approx(3 * change(IMAGES[0], moved[0]) + 5 * change(IMAGES[1], moved[1]), rel=1e-4)


@pytest.mark.parametrize("module", [cr, bcr])
def test_images_that_no_move_changes_cost_nothing(module: Any) -> None:
    flat = np.ones((6, 8, 8, 1), "float32") * DRAW.normal(size=(6, 1, 1, 1)).astype("float32")
    assert of_images(module, flat, flat)[0] == 0


def of_latents(generate: Callable[[Any], Any], latents: Any, fields: Any = None) -> tuple[float, float]:
    recipe, critic, samples = zcr.ZcrRecipe(), linear(3.0, -4.0), generate(latents)
    shared = {"latents": latents, "generate": generate, "fields": fields or {}, "recipe": recipe}
    of_discriminator = zcr.discriminator_penalty(
        **shared, fake_fields={"samples": samples}, fake_logits=critic({"samples": samples}), discriminate=critic,
        seed=keras.random.SeedGenerator(0),
    )  # fmt: skip
    of_generator = zcr.generator_penalty(**shared, fake_samples=samples, seed=keras.random.SeedGenerator(0))
    return number(of_discriminator), number(of_generator)


def test_zcr_weighs_the_change_that_a_small_move_makes() -> None:
    """G(z) = 2 z, D(x) = 3 x_1 - 4 x_2: changes of variance (2 sigma)^2 and (2 sigma)^2 25."""
    found = of_latents(lambda latents: 2 * latents, rows(DRAW.normal(size=(20_000, 2))))
    assert found == pytest.approx((20 * 0.1**2 * 25, -0.5 * 0.1**2), rel=0.05)


def test_zcr_of_a_generator_that_ignores_its_latents_is_zero() -> None:
    assert of_latents(lambda latents: 0 * latents + 1, rows(DRAW.normal(size=(4, 2)))) == (0, 0)


def test_zcr_moves_latents_and_neither_labels_nor_fields() -> None:
    given = {"latents": rows([[1, 2]]), "labels": ops.convert_to_tensor([3]), "source": rows([[5, 6]])}
    seen = []

    def generate(inputs: Any) -> Any:
        seen.append({name: ops.convert_to_numpy(each).tolist() for name, each in inputs.items()})
        return inputs["latents"]

    of_latents(generate, given, {"source": None, "labels": None})
    assert [(each["labels"], each["source"]) for each in seen] == [([3], [[5, 6]])] * 3
    assert len({str(each["latents"]) for each in seen}) > 1


def test_points_and_real_images_held_twice_are_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    for name in ("cr", "bcr"):
        with pytest.raises(ZooError, match=f"Plugin '{name}' flips and shifts images"):
            Trainer(make_stack(f"vanilla+{name}"), tiny_dataset((2,)))
    with pytest.raises(ZooError, match="'cr' and 'bcr' both hold real images"):
        Trainer(make_stack("dcgan+cr+bcr"), tiny_dataset((16, 16, 1)))
