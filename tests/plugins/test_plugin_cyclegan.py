"""CycleGAN: its pool, its terms by NumPy, its two critics side by side, its schedule."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.cyclegan import schedule

from zoo import EngineOptions, ZooError, backend, layers
from zoo.data.fields import Field, samples_field
from zoo.training.players import Players, build_players
from zoo.training.trainer import Trainer

SIZE = 8  # pixels, the smallest
TINY = ("residual_blocks=1", "width=2")
Pool = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def built(make_stack: Callable) -> Callable[..., Players]:
    def make(
        *settings: str, shape: tuple[int, ...] = (SIZE, SIZE, 1), source: tuple[int, ...] | None = None
    ) -> Players:
        fields = {"samples": samples_field(shape), "source": Field("image", source or shape)}
        return build_players(make_stack("cyclegan", *TINY, *settings), fields, 0, backend.engine())

    return make


@pytest.fixture(scope="module")
def trainer(make_stack: Callable, tiny_dataset: Callable) -> Trainer:
    return Trainer(make_stack("cyclegan+negative", *TINY, "pool_size=6"), tiny_dataset((SIZE, SIZE, 1)), seed=1)


@pytest.fixture(scope="module")
def batch(trainer: Trainer) -> dict[str, np.ndarray]:
    """A real batch with both fields."""
    return {
        name: ops.convert_to_numpy(each)
        for name, each in trainer.updates.batch(trainer.feed.update("generator", 0, 0)).items()
    }


def pool_of(size: int, seed: int = 0) -> tuple[Pool, Callable[[], np.ndarray]]:
    """A pool for images of one number: what it shows of a batch, and what it holds."""
    generator = keras.random.SeedGenerator(seed)
    state = {"pool": np.zeros((size, 1, 1, 1), "float32"), "count": 0}

    def show(numbers: np.ndarray) -> np.ndarray:
        images = np.reshape(numbers, (-1, 1, 1, 1)).astype("float32")
        shown, pool = layers.from_history(
            ops.convert_to_tensor(images), ops.convert_to_tensor(state["pool"]), state["count"], generator
        )
        state.update(pool=ops.convert_to_numpy(pool), count=min(state["count"] + len(images), size))
        return ops.convert_to_numpy(shown)[:, 0, 0, 0]

    return show, lambda: state["pool"][:, 0, 0, 0]


def test_the_first_fifty_images_pass_through_and_are_stored() -> None:
    show, held = pool_of(50)
    for first in range(0, 50, 10):
        numbers = np.arange(first, first + 10) + 1
        assert (show(numbers) == numbers).all()
    assert (held() == np.arange(50) + 1).all()


def test_later_images_are_exchanged_with_equal_chances_for_any_that_are_stored() -> None:
    show, held = pool_of(8)
    show(np.arange(8))
    passed, places, rounds = 0, np.zeros(8), 300
    for number in range(rounds):
        before = held().copy()
        images = 1000 + np.arange(4) + 4 * number
        shown = show(images)
        is_new = shown == images
        assert np.isin(shown[~is_new], before).all()
        assert sorted([*shown, *held()]) == sorted([*images, *before])  # none is lost, none doubled
        assert (np.sort(held()[held() != before]) == np.sort(images[~is_new])).all()
        passed += is_new.sum()
        places += held() != before
    trials = 4 * rounds
    assert abs(passed - trials / 2) < 4 * np.sqrt(trials / 4)  # four standard deviations
    expected = trials / 2 / 8
    assert (np.abs(places - expected) < 5 * np.sqrt(expected)).all()


def test_a_batch_that_fills_the_pool_stores_what_fits_and_exchanges_the_rest() -> None:
    swapped = 0
    for seed in range(40):
        show, held = pool_of(5, seed)
        show(np.array([1, 2, 3]))
        shown = show(np.array([4, 5, 6]))
        assert (shown[:2] == [4, 5]).all()
        assert sorted([*held(), shown[2]]) == [1, 2, 3, 4, 5, 6]
        swapped += shown[2] != 6
    assert 8 <= swapped <= 32


def test_the_pool_holds_what_was_generated_for_the_critics_and_is_saved(
    make_stack: Callable, tiny_dataset: Callable, eager_terms: Callable, batch: dict[str, np.ndarray]
) -> None:
    trainer = Trainer(make_stack("cyclegan-negative", *TINY, "pool_size=6"), tiny_dataset((SIZE, SIZE, 1)))
    terms = eager_terms(trainer, "generator", batch)
    assert terms.fake_logits.shape[0] == 4
    assert trainer.state()["plugin/pooled"] == 0  # the translators learn from what they have just made
    terms = eager_terms(trainer, "discriminator", batch)
    assert terms.real_logits.shape[0] == 4
    assert terms.fake_logits.shape[0] == 4
    state = trainer.state()
    assert state["plugin/pooled"] == 4
    for name in ("samples", "source"):
        made = ops.convert_to_numpy(terms.generated[name])
        assert state[f"plugin/pool_{name}"][:4] == pytest.approx(made, abs=1e-6)
        assert (state[f"plugin/pool_{name}"][4:] == 0).all()


def test_without_a_pool_there_is_nothing_to_save(built: Callable) -> None:
    assert built("pool_size=0").variables == {}
    assert set(built().variables) == {"pool_samples", "pool_source", "pooled"}
    assert built().variables["pool_samples"].shape == (50, SIZE, SIZE, 1)


def test_the_terms_are_half_the_papers_sums(
    trainer: Trainer, eager_terms: Callable, batch: dict[str, np.ndarray]
) -> None:
    terms = eager_terms(trainer, "generator", batch)
    parts = {name: float(each) for name, each in terms.loss()[1].items()}
    made = {name: ops.convert_to_numpy(each) for name, each in terms.generated.items()}
    logits = np.split(ops.convert_to_numpy(terms.fake_logits), 2, axis=2)
    adversarial = sum(np.square(each - 1).mean() for each in logits)
    cycle = sum(np.abs(made[f"cycled_{name}"] - batch[name]).mean() for name in ("samples", "source"))
    identity = sum(np.abs(made[f"same_{name}"] - batch[name]).mean() for name in ("samples", "source"))
    assert parts["generator_loss"] == pytest.approx(adversarial / 2, rel=1e-5)
    assert parts["generator_penalty/cyclegan"] == pytest.approx((10 * cycle + 5 * identity) / 2, rel=1e-5)

    terms = eager_terms(trainer, "discriminator", batch)
    real, fake = (np.split(ops.convert_to_numpy(each), 2, axis=2) for each in (terms.real_logits, terms.fake_logits))
    halved = sum((np.square(r - 1).mean() + np.square(f).mean()) / 2 for r, f in zip(real, fake, strict=True))
    assert float(terms.loss()[1]["discriminator_loss"]) == pytest.approx(halved / 2, rel=1e-5)


def test_each_translator_goes_its_own_way_and_both_go_in_a_circle(
    trainer: Trainer, batch: dict[str, np.ndarray]
) -> None:
    generator = trainer.players.generator
    to_samples, to_source = (generator.get_layer(name) for name in ("to_samples", "to_source"))
    made = generator({name: batch[name] for name in ("source", "samples")})
    expected = {
        "samples": to_samples(batch["source"]),
        "source": to_source(batch["samples"]),
        "cycled_source": to_source(to_samples(batch["source"])),
        "cycled_samples": to_samples(to_source(batch["samples"])),
        "same_samples": to_samples(batch["samples"]),
        "same_source": to_source(batch["source"]),
    }
    assert set(made) == set(expected)
    for name, each in expected.items():
        assert ops.convert_to_numpy(made[name]) == pytest.approx(ops.convert_to_numpy(each), abs=1e-5), name


def test_each_critic_sees_its_own_domain_and_learns_from_its_own_half(
    trainer: Trainer, batch: dict[str, np.ndarray]
) -> None:
    critics = trainer.players.discriminator
    fields = {name: ops.convert_to_tensor(batch[name]) for name in ("samples", "source")}
    answer = critics(fields)
    height, width = answer["logits"].shape[1:3]
    assert (width, answer["features"].shape[2]) == (2 * height, 2 * answer["features"].shape[1])
    for half, mine in ((slice(0, height), "samples"), (slice(height, None), "source")):
        alone = critics.get_layer(f"critic_of_{mine}")(fields[mine])[1]
        np.testing.assert_allclose(answer["logits"][:, :, half], alone, atol=1e-6)
        for name in fields:
            slopes = backend.engine().input_gradients(
                lambda images, name=name, half=half: critics({**fields, name: images})["logits"][:, :, half],
                fields[name],
            )
            assert bool(ops.any(slopes != 0)) == (name == mine)


def test_a_logit_of_a_critic_sees_seventy_pixels(built: Callable) -> None:
    critics = built("discriminator_normalization=none", "width=1", shape=(128, 128, 1)).discriminator
    draw = np.random.default_rng(0)
    for weight in critics.weights:
        weight.assign(draw.uniform(0.5, 1, weight.shape))
    images = ops.ones((1, 128, 128, 1))
    slopes = backend.engine().input_gradients(
        lambda samples: critics({"samples": samples, "source": images})["logits"][:, 7, 7], images
    )
    rows, columns = np.nonzero(ops.convert_to_numpy(slopes)[0, :, :, 0])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1, len(rows)) == (70, 70, 4900)
    assert critics.output["logits"].shape == (None, 14, 28, 1)


def test_both_ways_through_the_sizes_keep_pixels_in_their_places(built: Callable) -> None:
    translator = built("width=1", shape=(16, 16, 1)).generator.get_layer("to_samples")
    halving = [
        layer for layer in translator.layers if isinstance(layer, keras.layers.Conv2D) and layer.strides == (2, 2)
    ]
    doubling = [layer for layer in translator.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert (len(halving), len(doubling)) == (2, 2)
    centre = np.zeros((3, 3, 1, 1), "float32")
    centre[1, 1] = 1
    image = np.random.default_rng(0).normal(size=(1, 16, 16, 1)).astype("float32")
    smaller = keras.layers.Conv2D(1, 3, strides=2, use_bias=False)
    larger = keras.layers.Conv2DTranspose(1, 3, strides=2, use_bias=False)
    for layer in (smaller, larger):
        layer.build((None, 16, 16, 1))
        layer.kernel.assign(centre)
    half = smaller(keras.layers.ZeroPadding2D()(image))
    np.testing.assert_array_equal(half, image[:, ::2, ::2])
    whole = ops.convert_to_numpy(keras.layers.Cropping2D(((1, 0), (1, 0)))(larger(half)))
    np.testing.assert_array_equal(whole[:, ::2, ::2], image[:, ::2, ::2])


def test_in_bfloat16_images_and_logits_are_exact_inside_of_the_models_that_make_them(make_stack: Callable) -> None:
    engine = backend.engine(EngineOptions(precision="bfloat16"))
    fields = {name: samples_field((SIZE, SIZE, 1)) for name in ("samples", "source")}
    players = build_players(make_stack("cyclegan", *TINY), fields, 0, engine)
    for model, name in ((players.generator, "to_samples"), (players.discriminator, "critic_of_samples")):
        kinds = [each.compute_dtype for each in model.get_layer(name).layers]
        assert kinds[-1] == "float32"
        assert "bfloat16" in kinds
    made = players.generator({name: np.zeros((2, SIZE, SIZE, 1), "float32") for name in ("source", "samples")})
    logits = players.discriminator({name: made[name] for name in ("samples", "source")})["logits"]
    for each in (*made.values(), logits):
        assert keras.backend.standardize_dtype(each.dtype) == "float32"


def test_the_papers_values(make_stack: Callable, built: Callable) -> None:
    recipe = make_stack("cyclegan", tiny=False).recipe
    weights = (recipe.cycle_weight, recipe.identity_weight, recipe.pool_size)
    assert (recipe.batch_size, recipe.width, *weights) == (1, 64, 10, 5, 50)
    assert (recipe.generator_learning_rate, recipe.discriminator_learning_rate, recipe.beta_1) == (2e-4, 2e-4, 0.5)
    translator = built("residual_blocks=0", shape=(16, 16, 1)).generator.get_layer("to_samples")
    assert sum(isinstance(layer, keras.layers.Add) for layer in translator.layers) == 6


def test_rates_stay_for_half_the_horizon_and_then_fall_to_nothing(make_stack: Callable) -> None:
    recipe = make_stack("cyclegan", "horizon=1000").recipe
    shares = [float(schedule(images, recipe)["generator_learning_rate"]) / 2e-4 for images in (0, 500, 750, 1000, 2000)]
    assert shares == pytest.approx([1, 1, 0.5, 0, 0], abs=1e-6)
    assert schedule(0, make_stack("cyclegan").recipe) == {}


def test_what_can_not_be_translated_is_refused(tiny_dataset: Callable, make_stack: Callable, built: Callable) -> None:
    with pytest.raises(ZooError, match=r"from the field 'source', which this dataset has not.*cyclegan\+negative"):
        Trainer(make_stack("cyclegan"), tiny_dataset())
    with pytest.raises(ZooError, match=r"sides are multiples of 4 from 8 on; the field 'source' is \(10, 10, 1\)"):
        built(shape=(10, 10, 1))
    with pytest.raises(ZooError, match=r"1 channels on one side and 3 on the other\. Use --set identity_weight=0"):
        built(shape=(8, 8, 3), source=(8, 8, 1))
    players = built("identity_weight=0", shape=(8, 8, 3), source=(8, 8, 1))
    assert set(players.generator.output) == {"samples", "source", "cycled_samples", "cycled_source"}
    with pytest.raises(ZooError, match="needs a pool of at least a batch, 4 images, or none; pool_size is 3"):
        built("pool_size=3")
