"""The two players' updates: what each may change, what it draws, and the numbers of averages and optimizers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from keras import ops

from zoo import ZooError
from zoo.training.trainer import Trainer
from zoo.training.updates import prepared

State = dict[str, np.ndarray]
pytestmark = pytest.mark.filterwarnings("ignore:This stack bounds the discriminator:zoo.ZooWarning")
STACK = "vanilla+wgan_gp"  # with dropout, batch normalization in the generator, spectral vectors in the critic
SETTINGS = ("discriminator_normalization=spectral", "average_decay=0.5", "critic_steps=2")


@pytest.fixture
def trainer(tiny_dataset: Callable, make_stack: Callable) -> Trainer:
    return Trainer(make_stack(STACK, *SETTINGS), tiny_dataset((2,)))


def changed(before: State, after: State) -> set[str]:
    """The names of what changed, without their numbers."""
    return {name for name in before if not np.array_equal(before[name], after[name])}


def owners(names: set[str]) -> set[str]:
    return {name.partition("/")[0] for name in names}


def test_a_discriminator_update_leaves_the_generator_unchanged(trainer: Trainer) -> None:
    before = trainer.state()
    trainer.update("discriminator", 0, trainer.feed.batch(0))
    names = changed(before, trainer.state())
    assert owners(names) == {"discriminator", "discriminator_optimizer"}
    assert any("seed" in name for name in names)  # of the dropout
    assert any("singular_vector" in name for name in names)
    assert any("moving_mean" in name for name in before)  # of the generator, which ran in training mode


def test_a_generator_update_leaves_the_discriminator_unchanged(trainer: Trainer) -> None:
    before = trainer.state()
    trainer.update("generator", 0, {})
    names = changed(before, trainer.state())
    assert owners(names) == {"generator", "generator_optimizer", "average"}
    assert any("moving_mean" in name for name in names)


def test_the_discriminators_moving_statistics_move_in_its_own_update_only(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla", "discriminator_normalization=batch"), tiny_dataset((2,)))
    before = trainer.state()
    trainer.update("generator", 0, {})
    between = trainer.state()
    trainer.update("discriminator", 0, trainer.feed.batch(0))
    assert not any(name.startswith("discriminator/") for name in changed(before, between))
    assert any("moving_variance" in name for name in changed(between, trainer.state()))


def test_gradients_discards_writes(tiny_dataset: Callable, eager_terms: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla", "discriminator_normalization=batch"), tiny_dataset((2,)))
    terms = eager_terms(trainer)
    samples = terms.real_samples
    before = trainer.state()
    terms.gradients(terms.discriminate, samples)
    assert changed(before, trainer.state()) == set()
    terms.discriminate(samples)
    assert changed(before, trainer.state()) != set()


def test_a_penalty_of_weight_zero_changes_nothing(tiny_dataset: Callable, make_stack: Callable) -> None:
    states = []
    for stack, settings in (("vanilla", []), ("vanilla+r1", ["r1_gamma=0"])):
        made = make_stack(stack, "discriminator_normalization=batch", *settings)
        trainer = Trainer(made, tiny_dataset((2,)))
        trainer.step()
        states.append(trainer.state())
    assert states[0].keys() == states[1].keys()
    for name, array in states[0].items():
        assert states[1][name] == pytest.approx(array, rel=1e-4, abs=1e-6), name


def test_the_average_follows_its_formula_and_is_what_samples_come_from(trainer: Trainer) -> None:
    weight, average = trainer.players.generator.trainable_variables[0], trainer.updates.average[0]
    expected = ops.convert_to_numpy(average)
    assert np.array_equal(expected, ops.convert_to_numpy(weight))
    for decay in (1 / 10, 2 / 11, 3 / 12):  # below the recipe's .5: early on the average is young
        trainer.step()
        expected = decay * expected + (1 - decay) * ops.convert_to_numpy(weight)
        assert ops.convert_to_numpy(average) == pytest.approx(expected, rel=1e-5)
    trainer.steps = 1000
    trainer.step()
    expected = 0.5 * expected + 0.5 * ops.convert_to_numpy(weight)
    assert ops.convert_to_numpy(average) == pytest.approx(expected, rel=1e-5)

    raw = ops.convert_to_numpy(weight)
    latents = trainer.sampler.latents(4, seed=0)
    averaged = trainer.sampler.samples(latents)
    assert np.array_equal(raw, ops.convert_to_numpy(weight))  # only lent
    for variable, value in zip(trainer.players.generator.trainable_variables, trainer.updates.average, strict=True):
        variable.assign(value)
    by_hand = ops.convert_to_numpy(trainer.players.generator(latents, training=False))  # moving statistics as they are
    assert averaged == pytest.approx(by_hand, abs=1e-6)


def test_without_a_decay_no_average_is_kept(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla"), tiny_dataset((2,)))
    assert trainer.updates.average == []
    assert not any(name.startswith("average") for name in trainer.state())


def recorded(trainer: Trainer) -> list[tuple[str, int, dict[str, Any]]]:
    """Replaces both updates, each a call of its own, by one that notes player, step and batch."""
    calls: list[tuple[str, int, dict[str, Any]]] = []
    trainer.policy = replace(trainer.policy, steps_per_call=1)
    for player in trainer.calls:
        trainer.calls[player] = lambda inputs, player=player: (
            calls.append((player, int(inputs["step"]), inputs["batch"]))
            or np.ones(len(trainer.updates.metrics[player]))
        )
    return calls


def test_a_step_is_so_many_critic_updates_on_fresh_batches_and_one_of_the_generator(trainer: Trainer) -> None:
    calls = recorded(trainer)
    trainer.step()
    trainer.step()
    assert [player for player, _, _ in calls] == ["discriminator", "discriminator", "generator"] * 2
    assert [step for _, step, _ in calls] == [0, 0, 0, 1, 1, 1]
    batches = [batch["samples"] for player, _, batch in calls if player == "discriminator"]
    for number, batch in enumerate(batches):
        assert np.array_equal(batch, trainer.dataset.samples[trainer.feed.orders["samples"].indices(number)])
    assert all(batch == {} for player, _, batch in calls if player == "generator")
    rows = {tuple(row) for row in np.concatenate(batches)}
    assert len(rows) == 4 * 4  # no sample twice within the epoch of 40
    assert trainer.images == 2 * 2 * 4


def test_a_generator_that_looks_at_real_samples_gets_a_batch_of_its_own(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    file = plugin_file("""
        @hookimpl
        def generator_penalty(real_samples, fake_samples):
            return ops.square(ops.mean(real_samples) - ops.mean(fake_samples))
    """)
    trainer = Trainer(make_stack("vanilla+mine", "critic_steps=2", plugins=[file]), tiny_dataset((2,)))
    assert trainer.step()["generator_penalty/mine"] > 0
    calls = recorded(trainer)
    trainer.steps = 0
    trainer.step()
    trainer.step()
    for number, (_, _, batch) in enumerate(calls):
        assert np.array_equal(batch["samples"], trainer.dataset.samples[trainer.feed.orders["samples"].indices(number)])
    assert trainer.images == 2 * 2 * 4  # what the discriminator consumed


def test_latents_may_be_drawn_from_a_real_batch_in_both_updates(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    file = plugin_file("""
        @hookimpl
        def latents(real_batch, count, recipe):
            return ops.concatenate([real_batch["samples"], real_batch["samples"][:, :1]], axis=1)
    """)
    trainer = Trainer(make_stack("vanilla+mine", plugins=[file]), tiny_dataset((2,)))
    assert np.isfinite(trainer.step()["generator_loss"])


def test_updates_of_one_seed_and_step_give_the_same_numbers(tiny_dataset: Callable, make_stack: Callable) -> None:
    stack, dataset = make_stack(STACK, *SETTINGS), tiny_dataset((2,))
    one, same, other = (Trainer(stack, dataset, seed) for seed in (5, 5, 6))
    metrics = [each.step() for each in (one, same, other)]
    assert metrics[0] == metrics[1] != metrics[2]
    assert changed(one.state(), same.state()) == set()


@pytest.mark.long
def test_every_tracing_of_an_update_gives_the_same_numbers(tiny_dataset: Callable, make_stack: Callable) -> None:
    """TensorFlow optimizes a graph a little differently each time; about one in twelve once read a weight too late."""
    settings = ["dropout=0.0", "discriminator_normalization=batch", "discriminator_units=8,24"]
    trainer = Trainer(make_stack("vanilla+r1+descent", *settings, plugins=["descent"]), tiny_dataset((2,)))
    before = trainer.state()
    penalties = set()
    for _ in range(30):
        trainer.calls["discriminator"] = trainer.compiled_update("discriminator")
        trainer.set_state(before)
        penalties.add(float(trainer.update("discriminator", 0, trainer.feed.batch(0))["discriminator_penalty/r1"]))
    assert len(penalties) == 1


def test_draws_change_from_step_to_step(trainer: Trainer) -> None:
    before = trainer.state()
    first = trainer.update("generator", 0, {})
    trainer.set_state(before)
    trainer.steps = 1
    second = trainer.update("generator", 0, {})
    assert float(first["generator_loss"]) != float(second["generator_loss"])


def test_every_update_of_every_plugin_has_a_seed_of_its_own(trainer: Trainer) -> None:
    states = []
    for steps in (0, 1):
        trainer.steps = steps
        states += [
            tuple(row) for number in (0, 1) for row in trainer.feed.seed_states("discriminator", trainer.steps, number)
        ]
        states += [tuple(row) for row in trainer.feed.seed_states("generator", trainer.steps, 0)]
    assert len(states) == 2 * 3 * len(("zoo", "vanilla", "wgan_gp"))
    assert len(set(states)) == len(states)


@pytest.mark.parametrize(("stack", "shape"), [("vanilla+wgan", (2,)), ("dcgan+wgan", (16, 16, 1))])
def test_the_critics_weights_are_clipped_from_the_start_and_after_every_update(
    stack: str, shape: tuple[int, ...], tiny_dataset: Callable, make_stack: Callable
) -> None:
    settings = ["discriminator_learning_rate=0.1", "clip=0.02"]
    trainer = Trainer(make_stack(stack, *settings), tiny_dataset(shape))
    for number in range(3):
        weights = [ops.convert_to_numpy(each) for each in trainer.players.discriminator.trainable_variables]
        assert max(np.abs(weight).max() for weight in weights) == pytest.approx(0.02)
        trainer.update("discriminator", number, trainer.feed.batch(number))
    assert (
        max(np.abs(ops.convert_to_numpy(each)).max() for each in trainer.players.generator.trainable_variables) > 0.02
    )


def kernel_changes(trainer: Trainer) -> np.ndarray:
    """How far one update moved each kernel weight of the generator that has a gradient."""
    kernels = [each for each in trainer.players.generator.trainable_variables if each.name == "kernel"]
    before = [ops.convert_to_numpy(each) for each in kernels]
    trainer.update("generator", 0, {})
    moved = [np.abs(ops.convert_to_numpy(each) - old) for each, old in zip(kernels, before, strict=True)]
    return np.concatenate([each.ravel() for each in moved])


def test_rmsprop_moves_the_generator_however_small_its_gradient_is(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    """Its first update is rate * g / sqrt((1 - rho) g^2) = rate / sqrt(1 - rho) for each weight: here 5e-5 / .1."""
    dataset = tiny_dataset((16, 16, 1))
    changes = kernel_changes(Trainer(make_stack("dcgan+wgan"), dataset))
    assert changes.max() == pytest.approx(5e-4, rel=1e-2)
    assert np.mean(changes > 4e-4) > 0.9
    frozen = kernel_changes(Trainer(make_stack("dcgan+wgan", "epsilon=1e-7"), dataset))  # as Keras sets it
    assert frozen.max() < 5e-5


def test_the_first_step_of_adam_is_the_learning_rate(tiny_dataset: Callable, make_stack: Callable) -> None:
    changes = kernel_changes(Trainer(make_stack("vanilla", "generator_learning_rate=1e-3"), tiny_dataset((2,))))
    assert changes.max() == pytest.approx(1e-3, rel=1e-2)


def test_smoothed_labels_are_the_cross_entropy_to_nine_tenths(
    tiny_dataset: Callable, eager_terms: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+label_smoothing"), tiny_dataset((2,)))
    terms = eager_terms(trainer)
    _, parts = terms.loss()
    real, fake = (
        1 / (1 + np.exp(-ops.convert_to_numpy(each).astype("float64")))
        for each in (terms.real_logits, terms.fake_logits)
    )
    by_hand = -np.mean(0.9 * np.log(real) + 0.1 * np.log(1 - real)) - np.mean(np.log(1 - fake))
    assert float(parts["discriminator_loss"]) == pytest.approx(by_hand, rel=1e-5)


def test_the_whole_state_fits_only_the_same_models(
    trainer: Trainer, tiny_dataset: Callable, make_stack: Callable
) -> None:

    wider = Trainer(make_stack(STACK, *SETTINGS, "generator_units=9"), tiny_dataset((2,)))
    advice = "The stack builds other networks now"
    with pytest.raises(ZooError, match=rf"^The checkpoint's 'generator/.*' is \(.*\), the model's \(.*\)\. {advice}"):
        wider.set_state(trainer.state())
    other = Trainer(make_stack("vanilla"), tiny_dataset((2,)))
    with pytest.raises(ZooError, match=rf"^The checkpoint holds other variables: .*\. {advice}"):
        other.set_state(trainer.state())


def test_images_reach_the_models_between_minus_one_and_one(tiny_dataset: Callable, make_stack: Callable) -> None:
    batch = {"samples": np.array([[0, 255], [127, 128]], "uint8"), "labels": np.array([1, 2])}
    made = prepared(batch)
    assert ops.convert_to_numpy(made["samples"]) == pytest.approx(np.array([[-1, 1], [-1 / 255, 1 / 255]]), abs=1e-6)
    assert (made["labels"] == batch["labels"]).all()
    points = np.array([[5.0, -7.0]], "float32")
    assert (ops.convert_to_numpy(prepared({"samples": points})["samples"]) == points).all()
