"""Mode seeking at a generator whose ratio is known."""

from typing import Any

import numpy as np
import pytest
from by_hand import number, rows
from keras import ops
from zoo_plugins.mode_seeking import ModeSeekingRecipe, generator_penalty

DRAW = np.random.default_rng(0)


def penalty(generate: Any, latents: Any, others: Any, fields: Any = None) -> float:
    recipe = ModeSeekingRecipe(mode_seeking_weight=2.0)
    return number(generator_penalty(latents, generate(latents), lambda: others, generate, fields or {}, recipe))


def test_a_generator_that_stretches_its_latents_has_the_inverse_of_the_factor() -> None:
    one, other = (rows(DRAW.normal(size=(5, 3))) for _ in range(2))
    assert penalty(lambda latents: 4 * latents, one, other) == pytest.approx(2 / (4 + 1e-5), rel=1e-5)


def test_the_ratio_is_one_of_means_over_the_batch() -> None:
    one, other = rows([[0.0], [0.0]]), rows([[1.0], [3.0]])
    assert penalty(lambda latents: latents**2, one, other) == pytest.approx(2 / ((1 + 9) / 2 / 2 + 1e-5), rel=1e-5)


def test_a_collapsed_generator_costs_as_much_as_the_bound_allows() -> None:
    one, other = (rows(DRAW.normal(size=(5, 3))) for _ in range(2))
    assert penalty(lambda latents: 0 * latents, one, other) == pytest.approx(2e5, rel=1e-4)


def test_labels_and_fields_are_those_of_the_first_draw() -> None:
    def given(latent: float, label: int, source: float) -> dict[str, Any]:
        return {"latents": rows([[latent]]), "labels": ops.convert_to_tensor([label]), "source": rows([[source]])}

    def generate(inputs: Any) -> Any:
        return 4 * inputs["latents"] + 100 * inputs["source"] + 1000 * ops.cast(inputs["labels"], "float32")[:, None]

    found = penalty(generate, given(1, 2, 3), given(2, 5, 7), {"source": None, "labels": None})
    assert found == pytest.approx(2 / 4, rel=1e-4)
