"""Each transform at fixed numbers, when transforms happen, and the controller by hand."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import column
from keras import ops
from zoo_plugins import ada
from zoo_plugins.ada import AdaRecipe, Draws

from zoo import ZooError

RECIPE = AdaRecipe(ada_filtering=1.0, ada_noise=1.0, ada_cutout=1.0)
SIDES = (12, 9)  # width, height
MEDIAN, LAST = 0.5, 1 - 1e-6
IMAGES = np.random.default_rng(0).normal(size=(2, 9, 12, 3)).astype("float32")
COLOURS = np.array([[0.9, -0.2, 0.4], [0.1, 0.3, -0.7]], "float32")


def numbers(values: Iterable[float]) -> Iterator[Any]:
    return (ops.convert_to_tensor([value] * 2, "float32") for value in values)


def draws(uniform: Iterable[float], normal: Iterable[float] = (), p: float = 1.0) -> Draws:
    return Draws(numbers(uniform), numbers(normal), p)


def inverse(steps: Iterator[Any]) -> np.ndarray:
    """The matrix that takes a place in the image to where it comes out."""
    product = np.eye(3)
    for rows in steps:
        product = product @ np.array([[float(np.ravel(each)[0]) for each in row] for row in rows])
    return np.linalg.inv(product)


def test_pixels_are_flipped_then_turned_by_quarters_then_shifted_by_whole_pixels() -> None:
    flip, turn, shift, fires = 0.75, 0.3, 0.9, 0.0  # half of flips; 1 of 4 quarters; .8 of an eighth
    moved = inverse(ada.blits(draws([flip, fires, turn, fires, shift, shift, fires]), 1.0, SIDES))
    assert moved @ [2, 3, 1] == pytest.approx([-3 + 1, -2 + 1, 1], abs=1e-5)  # (-2, 3), clockwise (-3, -2)
    same = inverse(ada.blits(draws([flip, LAST, turn, LAST, shift, shift, LAST]), 0.9, SIDES))
    assert same == pytest.approx(np.eye(3))


def test_places_are_scaled_turned_stretched_turned_and_shifted() -> None:
    angles = (0.75, 0.5 + 1 / 8)  # a quarter and an eighth
    drawn = draws([0, angles[0], 0, 0, angles[1], 0, 0], [5.0, -5.0, 1.0, 2.0])
    moved = inverse(ada.moves(drawn, 1.0, SIDES))
    place = np.array([2.0, 3.0]) * 2  # 2^(5 * .2)
    place = np.array([-place[1], place[0]])
    place = place * [0.5, 2]
    place = np.array([place[0] - place[1], place[0] + place[1]]) / 2**0.5
    assert moved @ [2, 3, 1] == pytest.approx([place[0] + 12 / 8, place[1] + 2 * 9 / 8, 1], rel=1e-5)


def test_that_there_is_a_turn_at_all_has_probability_p() -> None:
    """1 - (1 - q)^2 = p: at .75 each of the two happens in half of the images."""
    for number, turns in ((0.499, True), (0.501, False)):
        drawn = draws([LAST, 0.75, number, LAST, 0.75, LAST, LAST], [1.0] * 4)
        assert (inverse(ada.moves(drawn, 0.75, SIDES)) != pytest.approx(np.eye(3))) == turns


def colours(uniform: list[float], normal: list[float]) -> np.ndarray:
    """What becomes of COLOURS, (2, 3)."""
    matrices = ops.convert_to_numpy(ada.colours(ops.convert_to_tensor(IMAGES), draws(uniform, normal), 0.9))
    return (matrices[:, :3, :3] @ COLOURS[..., None])[..., 0] + matrices[:, :3, 3]


def only(place: int, *values: float) -> list[float]:
    """Draws of colours of which one transform happens: brightness, contrast, (luma flip), (hue), saturation."""
    uniform = [[LAST], [LAST], [MEDIAN, LAST], [MEDIAN, LAST], [LAST]]
    uniform[place] = [*values, 0.0]
    return [each for group in uniform for each in group]


def test_colours_change_one_by_one_as_their_names_say() -> None:
    mean = COLOURS.mean(axis=1, keepdims=True)
    assert colours(only(0), [2.0, 1, 1]) == pytest.approx(COLOURS + 0.4)
    assert colours(only(1), [1, -2.0, 1]) == pytest.approx(COLOURS / 2)
    assert colours(only(2, LAST), [1, 1, 1]) == pytest.approx(COLOURS - 2 * mean, abs=1e-6)
    assert colours(only(3, 0.5 + 1 / 3), [1, 1, 1]) == pytest.approx(np.roll(COLOURS, 1, axis=1), abs=1e-6)
    assert colours(only(4), [1, 1, 2.0]) == pytest.approx(mean + 4 * (COLOURS - mean), abs=1e-6)


def test_colours_are_changed_in_the_papers_order() -> None:
    found = colours([0, 0, LAST, 0, 0.5 + 1 / 3, 0, 0], [2.0, -2.0, 2.0])
    expected = (COLOURS + 0.4) / 2
    expected = np.roll(expected - 2 * expected.mean(axis=1, keepdims=True), 1, axis=1)
    mean = expected.mean(axis=1, keepdims=True)
    assert found == pytest.approx(mean + 4 * (expected - mean), abs=1e-6)


def test_gains_keep_the_power_that_images_are_expected_to_have() -> None:
    expected = np.array([10, 1, 1, 1]) / 13
    for band in range(4):
        fires = [LAST] * 4
        fires[band] = 0.0
        found = ops.convert_to_numpy(ada.gains(draws(fires, [2.0] * 4), 0.9))[0]
        assert (expected * found**2).sum() == pytest.approx(1)
        others = np.delete(found, band)
        assert found[band] == pytest.approx(4 * others[0])
        assert np.ptp(others) == pytest.approx(0, abs=1e-6)
    every = ops.convert_to_numpy(ada.gains(draws([0.0] * 4, [1.0] * 4), 1.0))[0]
    assert every[1:] == pytest.approx(np.full(3, every[1]))


def test_a_hole_has_half_the_side_and_its_centre_anywhere() -> None:
    image = ops.ones((2, 8, 12, 1))
    rows, columns = (ops.convert_to_numpy(each)[0] for each in ada.hole(image, draws([0.5, 0.0, 0.0]), 1.0))
    assert np.flatnonzero(rows).tolist() == [2, 3, 4, 5]
    assert np.flatnonzero(columns).tolist() == [0, 1, 2]
    assert not ops.convert_to_numpy(ada.hole(image, draws([0.5, 0.5, LAST]), 0.9)[0]).any()


@pytest.mark.parametrize("channels", [1, 3])
def test_at_a_probability_of_nothing_nothing_changes(channels: int) -> None:
    images, seed = ops.convert_to_tensor(IMAGES[..., :channels]), keras.random.SeedGenerator(0)
    found = ada.augment(images, ada.variables(RECIPE), seed, RECIPE)
    assert ops.convert_to_numpy(found) == pytest.approx(IMAGES[..., :channels], abs=1e-5)


def test_at_the_medians_of_all_draws_nothing_changes_but_flips_and_holes() -> None:
    """All that happens is neutral in the middle: no shift, scale 1, no turn (p of 1 turns by an angle of 0)."""
    still = replace(RECIPE, ada_blitting=0.0, ada_cutout=0.0)
    drawn = Draws(numbers([0.5] * 29), numbers([0.0] * 12), 1.0)
    # luma flips: half of the draws are
    images = ops.convert_to_tensor(IMAGES)
    found = ada.transformed(images, drawn, replace(still, ada_color=0.0), keras.random.SeedGenerator(0))
    assert ops.convert_to_numpy(found) == pytest.approx(IMAGES, abs=1e-5)


def test_noise_has_the_size_that_was_drawn() -> None:
    noisy = replace(AdaRecipe(ada_blitting=0, ada_geometry=0, ada_color=0), ada_noise=1.0)
    images = ops.zeros((2, 40, 40, 3))
    found = ada.transformed(images, draws([0.0], [-3.0]), noisy, keras.random.SeedGenerator(0))
    assert ops.convert_to_numpy(found).std() == pytest.approx(0.3, rel=0.03)


def test_each_group_of_transforms_happens_to_a_share_p_of_images_in_each_call_anew() -> None:
    images, seed = ops.convert_to_tensor(np.repeat(IMAGES[:1], 400, axis=0)), keras.random.SeedGenerator(0)
    for group, happens in (
        ("noise", 0.5),
        ("cutout", 0.5),
        ("blitting", 1 - (1 - 0.5 / 2) * (1 - 0.75 / 2) * (1 - 1 / 2)),
    ):
        one = AdaRecipe(ada_target=0.0, ada_probability=0.5, ada_blitting=0, ada_geometry=0, ada_color=0)
        recipe = replace(one, **{f"ada_{group}": 1.0})
        twice = [ops.convert_to_numpy(ada.augment(images, {}, seed, recipe)) for _ in range(2)]
        changed = np.abs(twice[0] - IMAGES[0]).max(axis=(1, 2, 3)) > 0.02
        assert changed.mean() == pytest.approx(happens, abs=0.08), group
        assert (twice[0] != twice[1]).any()


def test_p_moves_towards_the_target_every_four_updates_by_the_images_seen() -> None:
    recipe = AdaRecipe(batch_size=10, ada_images=400, ada_target=0.5)  # .1 a movement
    variables = ada.variables(recipe)
    seen = []
    real = column(1, 1, 1, -1)  # r = .5
    for update, logits in enumerate(
        [*[column(2, 3)] * 4, *[column(-2, 3)] * 4, real, real, column(1), column(1, -1, 1, -1)]
    ):
        found = ada.observe("discriminator", ops.convert_to_tensor(update), logits, variables, recipe)
        seen.append((float(found["r_t"]), float(found["p"])))
    assert np.array(seen[:4]) == pytest.approx(np.array([(1, 0), (1, 0), (1, 0), (1, 0.1)]))
    assert np.array(seen[4:8]) == pytest.approx(np.array([(0, 0.1), (0, 0.1), (0, 0.1), (0, 0)]))
    assert seen[11] == pytest.approx((0.5, 0))  # on the target
    assert ada.observe("generator", 0, None, variables, recipe) == {}


def test_a_discriminator_that_is_always_sure_raises_p_to_1_in_so_many_images_and_no_further() -> None:
    recipe = AdaRecipe(batch_size=100, ada_images=2000)
    variables = ada.variables(recipe)
    for update in range(24):
        ada.observe("discriminator", ops.convert_to_tensor(update), column(1), variables, recipe)
        expected = min(1.0, 0.2 * ((update + 1) // 4))
        assert float(variables["ada_p"]) == pytest.approx(expected, abs=1e-6)


def test_what_it_can_not_do_is_refused() -> None:
    with pytest.raises(ZooError, match="Plugin 'ada' augments images"):
        ada.check((2,), "cross-entropy", RECIPE)
    with pytest.raises(ZooError, match=r"colours of 1 or 3 channels; received 2: set ada_color=0"):
        ada.check((16, 16, 2), "cross-entropy", RECIPE)
    with pytest.raises(ZooError, match=r"under a loss of the family 'relativistic pairing'.*ada_target=0"):
        ada.check((16, 16, 3), "relativistic pairing", RECIPE)
    ada.check((16, 16, 2), "relativistic pairing", replace(RECIPE, ada_target=0.0, ada_color=0.0))
