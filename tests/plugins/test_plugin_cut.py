"""CUT: the contrast of patches by hand, its networks by the authors' numbers."""

from collections.abc import Callable
from math import exp, log

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.cut import cross_entropies, drawn_places, patch_contrast, patches

from zoo import ZooError, backend
from zoo.data.fields import Field, samples_field
from zoo.training.players import Players, build_players
from zoo.training.trainer import Trainer

MAPS = ("map_0", "map_1", "map_2", "map_3", "map_4")


@pytest.fixture(scope="module")
def built(make_stack: Callable) -> Callable[..., Players]:
    def make(*settings: str, shape: tuple[int, ...] = (16, 16, 3), source: tuple[int, ...] | None = None) -> Players:
        fields = {"samples": samples_field(shape), "source": Field("image", source or shape)}
        return build_players(make_stack("cut", *settings), fields, 0, backend.engine())

    return make


def test_contrast_of_equal_patches_is_the_logarithm_of_their_number_and_of_orthogonal_ones_almost_0() -> None:
    equal = ops.convert_to_tensor(np.tile(np.eye(1, 4, dtype="float32"), (2, 256, 1)))
    assert ops.convert_to_numpy(cross_entropies(equal, equal, 0.07)) == pytest.approx(np.full((2, 256), log(256)))
    basis = ops.convert_to_tensor(np.eye(256, dtype="float32")[None])
    found = ops.convert_to_numpy(cross_entropies(basis, basis, 0.07))
    assert found == pytest.approx(np.full((1, 256), log(1 + 255 * exp(-1 / 0.07))), rel=1e-2, abs=2e-6)


def test_contrast_is_the_cross_entropy_of_the_key_at_the_same_place() -> None:
    draw = np.random.default_rng(0)
    queries, keys = (draw.normal(size=(2, 5, 3)).astype("float32") for _ in range(2))
    logits = np.einsum("bid,bjd->bij", queries, keys) / 0.5
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = -np.log(np.diagonal(chances, axis1=1, axis2=2))
    assert ops.convert_to_numpy(cross_entropies(queries, keys, 0.5)) == pytest.approx(expected, rel=1e-4)


def test_places_are_distinct_the_same_for_all_images_and_at_most_as_many_as_there_are() -> None:
    maps = np.arange(2 * 4 * 5 * 3, dtype="float32").reshape(2, 4, 5, 3)
    seed = keras.random.SeedGenerator(1)
    places = ops.convert_to_numpy(drawn_places(maps, 7, seed))
    assert len(set(places)) == 7
    assert sorted(ops.convert_to_numpy(drawn_places(maps, 256, seed))) == list(range(20))
    found = ops.convert_to_numpy(patches(maps, places)).reshape(2, 7, 3)
    np.testing.assert_array_equal(found, maps.reshape(2, 20, 3)[:, places])


def test_the_maps_are_those_of_the_generators_first_half(built: Callable) -> None:
    generator = built("width=2", "residual_blocks=9", shape=(256, 256, 3)).generator
    shapes = {name: tuple(each.shape[1:]) for name, each in generator.output.items()}
    assert shapes == {
        "samples": (256, 256, 3),
        "map_0": (262, 262, 3),  # the padded image
        "map_1": (256, 256, 4),
        "map_2": (128, 128, 8),
        "map_3": (64, 64, 8),
        "map_4": (64, 64, 8),
    }


def test_keys_are_given_and_queries_learn(built: Callable, make_stack: Callable) -> None:
    players = built("residual_blocks=5")
    recipe = make_stack("cut").recipe
    draw = np.random.default_rng(0)
    shapes = {name: each.shape[1:] for name, each in players.generator.output.items()}
    one, other = (
        {name: draw.normal(size=(2, *shape)).astype("float32") for name, shape in shapes.items()} for _ in range(2)
    )

    def slope(of_queries: bool) -> np.ndarray:
        def contrast(maps: object) -> object:
            changed = {"map_2": maps}
            pair = ({**one, **changed}, other) if of_queries else (one, {**other, **changed})
            return patch_contrast(*pair, players.models["patch_vectors"], keras.random.SeedGenerator(0), recipe)

        inputs = ops.convert_to_tensor((one if of_queries else other)["map_2"])
        return ops.convert_to_numpy(backend.engine().input_gradients(contrast, inputs))

    assert (slope(of_queries=False) == 0).all()
    assert (slope(of_queries=True) != 0).any()


def test_vectors_have_length_1_and_a_gradient_where_dead_units_make_zeros(built: Callable) -> None:
    players = built("residual_blocks=5")
    vectors = players.models["patch_vectors"]
    widths = {str(each.name): each.shape[-1] for each in vectors.inputs}
    ones = {name: ops.ones((1, width)) for name, width in widths.items()}
    lengths = [float(ops.sum(ops.square(each))) for each in vectors(ones).values()]
    assert lengths == pytest.approx([1.0] * len(MAPS), rel=1e-3)
    zeros = {name: ops.zeros((1, width)) for name, width in widths.items()}
    slopes = backend.engine().input_gradients(lambda given: ops.sum(vectors(given)["map_0"]), zeros)
    assert np.isfinite(ops.convert_to_numpy(slopes["map_0"])).all()


def test_without_identity_only_translations_are_contrasted(
    make_stack: Callable, tiny_dataset: Callable, eager_terms: Callable
) -> None:
    found = {}
    for weights in ((1, 0), (0, 1), (2, 3)):
        settings = [f"nce_weight={weights[0]}", f"nce_identity_weight={weights[1]}", "residual_blocks=1"]
        trainer = Trainer(make_stack("cut+negative", *settings), tiny_dataset((8, 8, 1)), seed=1)
        _, parts = eager_terms(trainer, "generator").loss()
        found[weights] = float(parts["generator_penalty/cut"])
        assert found[weights] > 0
    assert found[2, 3] == pytest.approx(2 * found[1, 0] + 3 * found[0, 1], rel=0.05)  # places are drawn anew


def test_the_papers_values(make_stack: Callable) -> None:
    recipe = make_stack("cut+negative", tiny=False).recipe
    assert (recipe.batch_size, recipe.width, recipe.residual_blocks, recipe.nce_patches) == (1, 64, 9, 256)
    assert (recipe.nce_weight, recipe.nce_identity_weight, recipe.nce_temperature) == (1, 1, 0.07)
    assert (recipe.generator_learning_rate, recipe.discriminator_learning_rate, recipe.beta_1) == (2e-4, 2e-4, 0.5)


def test_what_can_not_be_translated_is_refused(built: Callable, make_stack: Callable, tiny_dataset: Callable) -> None:
    with pytest.raises(ZooError, match="Plugin 'cut' translates from the field 'source', which this dataset has not"):
        Trainer(make_stack("cut"), tiny_dataset())
    for shape, source in (((16, 16, 3), (16, 16, 1)), ((18, 16, 3), (18, 16, 3)), ((4, 4, 1), (4, 4, 1))):
        with pytest.raises(ZooError, match="images of one shape, whose sides are multiples of 4 from 8 on"):
            built(shape=shape, source=source)
