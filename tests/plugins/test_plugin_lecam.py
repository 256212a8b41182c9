"""LeCam's anchors and its penalty by hand."""

import keras
import pytest
from by_hand import column, number, slopes
from zoo_plugins.lecam import LecamRecipe, discriminator_penalty, observe

RECIPE = LecamRecipe(lecam_weight=2.0, lecam_start=10)


def anchors(real: float, fake: float) -> dict[str, keras.Variable]:
    return {"lecam_real": keras.Variable(real, trainable=False), "lecam_fake": keras.Variable(fake, trainable=False)}


def test_logits_at_converged_anchors_cost_the_square_of_how_far_these_are_apart() -> None:
    penalty = discriminator_penalty(column(1, 1), column(-1, -1), anchors(1.0, -1.0), 10, RECIPE)
    assert number(penalty) == pytest.approx(2 * 8)


def test_logits_on_the_right_side_of_the_anchors_cost_nothing() -> None:
    penalty = discriminator_penalty(column(-3, -2), column(2, 4), anchors(1.0, -1.0), 10, RECIPE)
    assert number(penalty) == 0


def test_until_its_start_nothing_is_penalized_and_the_anchors_are_the_means() -> None:
    variables = anchors(5.0, 5.0)
    assert number(discriminator_penalty(column(1, 3), column(-1, -1), variables, 9, RECIPE)) == 0
    observe("discriminator", column(1, 3), column(-1, -1), variables, 9, RECIPE)
    assert [float(each) for each in variables.values()] == [2, -1]


def test_the_penalty_sees_the_anchors_that_are_kept_afterwards_and_no_gradient_passes_them() -> None:
    variables = anchors(0.0, 0.0)
    loss = discriminator_penalty(column(1), column(-2), variables, 10, RECIPE)
    moved = (0.1 * 1, 0.1 * -2)
    assert number(loss) == pytest.approx(2 * ((1 - moved[1]) ** 2 + (moved[0] + 2) ** 2), rel=1e-5)
    slope = slopes(lambda real: discriminator_penalty(real, column(-2), variables, 10, RECIPE), column(1))
    assert slope == pytest.approx([2 * 2 * (1 - moved[1])], rel=1e-5)
    observe("discriminator", column(1), column(-2), variables, 10, RECIPE)
    assert [float(each) for each in variables.values()] == pytest.approx(moved)
    assert observe("generator", None, None, variables, 10, RECIPE) == {}
