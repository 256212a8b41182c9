"""What happens around a loss: observing, further networks, schedules, lazy work, moved latents, averages, refusals."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError, backend, losses
from zoo.training.sampler import STANDING_BATCHES, STANDING_SEED
from zoo.training.trainer import Trainer


def array(variable: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(variable))


def made_and_resumed(trainer: Trainer, other: Trainer, steps: int = 2) -> tuple[dict[str, Any], dict[str, Any]]:
    """The states after 2 N steps, in one trainer, and in another one that took the second half."""
    trainer.train(steps)
    other.set_state(trainer.state())
    trainer.train(steps)
    other.train(steps)
    return trainer.state(), other.state()


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, each in one.items():
        np.testing.assert_array_equal(each, other[name], err_msg=name)


def test_what_is_observed_is_logged_and_assigned_once_an_update(tiny_dataset: Callable, make_stack: Callable) -> None:
    stack = make_stack("vanilla+observing", "critic_steps=2", plugins=["observing"])
    trainer = Trainer(stack, tiny_dataset((2,)))
    metrics = trainer.step()
    assert {name for name in metrics if "observing" in name} == {
        "discriminator/observing/norm",
        "discriminator/observing/share",
        "discriminator/observing/logits",
        "generator/observing/norm",
    }
    for player in ("discriminator", "generator"):
        assert metrics[f"{player}/observing/norm"] == pytest.approx(metrics[f"{player}_gradient_norm"], rel=1e-6)
    state = trainer.state()
    assert state["plugin/observed_updates"] == 3
    assert state["plugin/observed_share"] == pytest.approx(metrics["discriminator/observing/share"])
    first = trainer.players.discriminator.trainable_variables[0]
    np.testing.assert_array_equal(state["plugin/observed_weight"], array(first))  # as they are after the update


def test_what_observe_assigns_is_resumed_bit_for_bit_in_either_way_of_calling(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    from dataclasses import replace

    states = []
    for several in (1, 2):
        stack = make_stack("vanilla+observing", "critic_steps=2", plugins=["observing"])
        trainers = [Trainer(stack, tiny_dataset((2,))) for _ in range(2)]
        for each in trainers:
            each.policy = replace(each.policy, steps_per_call=several, resident=True)
        assert_equal(*made_and_resumed(*trainers))
        states.append(trainers[0].state())
    for name, each in states[0].items():
        np.testing.assert_allclose(each, states[1][name], rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def observe(fake_logits):\n    return {'logits': fake_logits}", "'logits' must be a scalar to be logged"),
        (
            "def discriminator_penalty(generator):\n    generator.trainable_variables[0].assign_add("
            "generator.trainable_variables[0])\n    return 0.0",
            "is assigned here, where the write would be lost, or be in no checkpoint",
        ),
        (
            "def observe(player, generator, discriminator):\n    model = generator if player == 'discriminator' else "
            "discriminator\n    model.trainable_variables[0].assign(model.trainable_variables[0] * 2)",
            "is assigned here, where the write would be lost",
        ),
        (
            "def discriminator_penalty(real_logits):\n    COUNT.assign(COUNT + 1)\n    return 0.0\n\n"
            "COUNT = keras.Variable(0.0, trainable=False)",
            "is assigned here, where the write would be lost, or be in no checkpoint. Declare state in the hook",
        ),
        (
            "def augment(samples):\n    return FLIP(samples, training=True)\n\nFLIP = keras.layers.RandomFlip()",
            "is assigned here, where the write would be lost, or be in no checkpoint",
        ),
        (
            "def augment(samples):\n    return keras.layers.Dense(2)(samples)",
            "/kernel' is made while the step is traced: nothing would save or train it. Make the layer or variable",
        ),
        (
            "def discriminator_penalty(real_logits, variables):\n    found = []\n    ops.cond(ops.mean(real_logits) > "
            "0, lambda: found.append(ops.mean(real_logits)) or 0.0, lambda: 0.0)\n    variables['v'].assign(found[0])\n"
            "    return 0.0\n\n@hookimpl\ndef variables():\n    return {'v': keras.Variable(0.0, trainable=False)}",
            "what is computed inside keras.ops.cond or a loop can't be used outside of it",
        ),
        (
            "def variables():\n    return {'w': keras.Variable(0.0)}",
            "'w' must be a keras.Variable(..., trainable=False); received a trainable variable. What a loss is to move "
            "belongs into a network",
        ),
        (
            "def generator_penalty(progress):\n    return progress * 0",
            "needs to know how far it stretches: --set horizon=IMAGES",
        ),
        ("def schedule():\n    return {'rate': 1.0}", "'rate' is no field of the recipe"),
        (
            "def discriminator_penalty(real_logits):\n    return real_logits",
            "must return a scalar, received a tensor of shape (4, 1). Take its mean.",
        ),
        (
            "def generator_penalty(averaged, latents):\n    return ops.mean(averaged(latents))",
            "--set average_decay=0.999",
        ),
    ],
    ids=[
        "no scalar",
        "weights in a penalty",
        "the other's weights",
        "a variable of a module",
        "a layer of a module",
        "a layer in a hook",
        "a branch's value",
        "trainable variable",
        "no horizon",
        "no such field",
        "a penalty of each sample",
        "no average",
    ],
)
def test_what_would_be_silently_wrong_is_an_error_before_the_first_step_ends(
    text: str, problem: str, tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    shape = (8, 8, 1) if "RandomFlip" in text else (2,)
    stack = make_stack("vanilla+mine", plugins=[plugin_file(f"@hookimpl\n{text}\n")])
    with pytest.raises(ZooError) as raised:
        Trainer(stack, tiny_dataset(shape)).step()
    assert problem in str(raised.value)


def test_two_losses_of_different_games_are_refused(make_stack: Callable, plugin_file: Callable) -> None:
    file = plugin_file("""
        LOSS_FAMILY = "relativistic"

        @hookimpl
        def discriminator_loss(real_logits, fake_logits):
            return ops.mean(ops.softplus(fake_logits - real_logits))
    """)
    with pytest.raises(ZooError) as raised:
        make_stack("vanilla+mine", plugins=[file])
    assert str(raised.value).startswith(
        "The stack 'vanilla+mine' plays two different games: its discriminator_loss is the plugin 'mine''s (family "
        "relativistic), its generator_loss 'vanilla''s (family cross-entropy)."
    )


def test_a_recipe_that_is_no_dataclass_is_named(make_stack: Callable, plugin_file: Callable) -> None:
    file = plugin_file("""
        class Mine(zoo.Recipe):
            my_weight: float = 3.0

        @hookimpl
        def recipe():
            return Mine()
    """)
    with pytest.raises(ZooError, match=r"the class Mine has the field 'my_weight' and is no dataclass\. Write @datacl"):
        make_stack("vanilla+mine", plugins=[file])


def test_an_error_inside_a_keras_layer_says_which_layer_and_why(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    file = plugin_file("""
        class Broken(keras.layers.Layer):
            def call(self, inputs):
                return inputs if len(inputs.shape) > 7 else ops.reshape(inputs, (3, 5, 7))

        @hookimpl
        def generator_penalty(fake_samples):
            return ops.mean(Broken()(fake_samples))
    """)
    with pytest.raises(ZooError) as raised:
        Trainer(make_stack("vanilla+mine", plugins=[file]), tiny_dataset((2,))).step()
    message = str(raised.value)
    assert message.startswith("Plugin 'mine', hook 'generator_penalty' (mine.py, line ")
    assert "Broken" in message
    assert "reshape" in message.lower()


def test_further_networks_move_with_their_player_by_the_right_optimizer_and_frozen_ones_stay(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    stack = make_stack("vanilla+helping", plugins=["helping"])
    trainer = Trainer(stack, tiny_dataset((2,)))
    networks = trainer.players.networks
    before = {name: [array(each) for each in network.model.variables] for name, network in networks.items()}
    slow = trainer.players.generator_optimizer
    slow.learning_rate.assign(0.0)  # of everything but the encoder
    trainer.update("discriminator", 0, trainer.feed.batch(0))
    assert all(
        np.array_equal(old, array(new))
        for old, new in zip(before["encoder"], networks["encoder"].model.variables, strict=True)
    )
    metrics = trainer.update("generator", 0, {})
    assert float(metrics["generator_penalty/helping"]) > 0
    for name, moved in (("frozen", False), ("encoder", True), ("shared", False)):
        after = [array(each) for each in networks[name].model.variables]
        assert any((old != new).any() for old, new in zip(before[name], after, strict=True)) is moved, name
    names = {name.partition("/")[0] for name in trainer.state()}
    assert {"network_encoder", "network_encoder_optimizer", "network_shared"} <= names
    assert not any("frozen" in name for name in names)
    assert set(trainer.players.hashes()) == {"frozen"}


def test_further_networks_are_resumed_bit_for_bit(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainers = [Trainer(make_stack("vanilla+helping", plugins=["helping"]), tiny_dataset((2,))) for _ in range(2)]
    assert_equal(*made_and_resumed(*trainers))


def test_the_latents_that_were_moved_are_the_ones_that_all_terms_see(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    trainer = Trainer(make_stack("linear+moving", plugins=["linear", "moving"]), tiny_dataset((2,)))
    generator, critic = trainer.players.generator, trainer.players.discriminator
    terms, plain = eager_terms(trainer, "generator"), eager_terms(trainer, "generator")
    slope = (array(generator.trainable_variables[0]) @ array(critic.trainable_variables[0]))[:, 0]
    drawn = array(plain.draw_latents())
    moved = array(eager_terms(trainer, "generator").latents)
    np.testing.assert_allclose(moved, drawn + 0.1 * slope, rtol=1e-5)
    assert terms.fake_samples.shape == (4, 2)
    assert trainer.step()["generator_loss"] != 0


def test_schedules_reach_the_optimizers_the_average_and_the_recipe_that_hooks_see(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+scheduled", "average_decay=0.5", plugins=["scheduled"]), tiny_dataset((2,)))
    found = []
    for _ in range(13):
        metrics = trainer.train(1)
        rates = [array(each.learning_rate) for each in optimizers(trainer)]
        found.append([*map(float, rates), float(metrics["discriminator_penalty/scheduled"][0])])
    steps = np.minimum(np.arange(13) * 4 / 40, 1)
    expected = 1e-3 + (1e-2 - 1e-3) * (1 + np.cos(np.pi * steps)) / 2
    np.testing.assert_allclose(np.array(found)[:, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(np.array(found)[:, 1], expected, rtol=1e-5)
    assert found[0][2] > 0
    assert found[12][2] == 0
    assert [each.beta_2 for each in optimizers(trainer)] == [0.999, 0.999]  # a tensor stays in its own trace


def optimizers(trainer: Trainer) -> list[keras.Optimizer]:
    return [trainer.players.generator_optimizer, trainer.players.discriminator_optimizer]


def test_a_scheduled_beta_2_is_the_one_that_adam_computes_with(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    """After one update Adam's second moment is (1 - beta_2) g^2."""
    moments = []
    for beta in (0.9, 0.99):
        file = plugin_file(f"@hookimpl\ndef schedule():\n    return {{'beta_2': ops.convert_to_tensor({beta})}}\n")
        trainer = Trainer(make_stack("vanilla+mine", "dropout=0", plugins=[file]), tiny_dataset((2,)))
        trainer.update("discriminator", 0, trainer.feed.batch(0))
        moments.append(array(trainer.players.discriminator_optimizer._velocities[0]))
    np.testing.assert_allclose(moments[0], 10 * moments[1], rtol=1e-4)


def test_several_generator_updates_on_larger_batches_are_counted(tiny_dataset: Callable, make_stack: Callable) -> None:
    settings = ("generator_steps=2", "generator_batch_factor=3", "average_decay=0.5")
    stack = make_stack("translating", *settings, plugins=["translating"])
    trainer = Trainer(stack, tiny_dataset((16, 16, 3)))
    inputs = [trainer.feed.update("generator", 0, number) for number in (0, 1)]
    assert [int(trainer.feed.update("generator", 1, number)["update"]) for number in (0, 1)] == [2, 3]
    assert [each["batch"]["samples"].shape[0] for each in inputs] == [12, 12]
    seen = trainer.feed.update("discriminator", 0, 0)["batch"]["samples"]
    rows = np.concatenate([seen, *(each["batch"]["samples"] for each in inputs)])
    assert len(np.unique(rows, axis=0)) == 28  # within an epoch no row comes twice
    trainer.step()
    assert int(trainer.players.generator_optimizer.iterations) == 2
    assert trainer.images == 4


def test_lazy_work_happens_in_every_nth_update_and_counts_n_times() -> None:
    found = [
        float(losses.every(3, ops.convert_to_tensor(update), lambda: ops.convert_to_tensor(2.0))) for update in range(6)
    ]
    assert found == [6, 0, 0, 6, 0, 0]


def test_a_lazy_penalty_differentiates_only_when_it_is_due(tiny_dataset: Callable, make_stack: Callable) -> None:
    settings = ("r1_interval=2", "critic_steps=3", "r1_gamma=1")
    trainer = Trainer(make_stack("vanilla+r1", *settings), tiny_dataset((2,)))
    plain = Trainer(make_stack("vanilla+r1", "critic_steps=3", "r1_gamma=1"), tiny_dataset((2,)))
    penalties = [
        float(trainer.update("discriminator", number, trainer.feed.batch(number))["discriminator_penalty/r1"])
        for number in (0, 1)
    ]
    whole = float(plain.update("discriminator", 0, plain.feed.batch(0))["discriminator_penalty/r1"])
    assert penalties == [pytest.approx(2 * whole, rel=1e-5), 0]


def test_a_loss_of_each_sample_is_averaged_and_may_be_weighed_by_a_plugin_above(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable, eager_terms: Callable
) -> None:
    file = plugin_file("""
        @hookimpl(wrapper=True)
        def generator_loss(fake_logits):
            values = yield
            order = ops.argsort(ops.argsort(-fake_logits[:, 0]))
            return ops.sum(ops.where(order < 2, values[:, 0], 0.0)) / 2
    """)
    terms = eager_terms(Trainer(make_stack("vanilla+mine", plugins=[file]), tiny_dataset((2,))), "generator")
    total, _ = terms.loss()
    logits = np.sort(array(terms.fake_logits)[:, 0])[-2:]
    assert float(total) == pytest.approx(np.mean(np.log1p(np.exp(-logits))), rel=1e-5)
    plain = eager_terms(Trainer(make_stack("vanilla"), tiny_dataset((2,))), "generator")
    assert float(plain.loss()[0]) == pytest.approx(np.mean(np.log1p(np.exp(-array(plain.fake_logits)))), rel=1e-5)


def test_an_augmentation_is_told_whose_samples_it_has_and_may_change_other_inputs(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable, eager_terms: Callable
) -> None:
    file = plugin_file("""
        @hookimpl
        def augment(samples, others, is_real, player, step):
            change = {True: 100.0, False: 200.0, None: 300.0}[is_real]
            return {"samples": samples + change, "source": others["source"] - change}
    """)
    trainer = Trainer(make_stack("translating+mine", plugins=["translating", file]), tiny_dataset((16, 16, 3)))
    terms = eager_terms(trainer)
    for is_real, change in ((True, 100), (False, 200), (None, 300)):
        changed = terms.augmented(terms.real_fields, is_real)
        np.testing.assert_allclose(array(changed["samples"]), array(terms.real_samples) + change, rtol=1e-5)
        np.testing.assert_allclose(array(changed["source"]), array(terms.batch["source"]) - change, rtol=1e-5)
    plain = terms.judge(terms.real_fields, augmented=False)["logits"]
    assert (array(plain) != array(terms.judge(terms.real_fields)["logits"])).any()


def test_the_averaged_generator_is_at_hand_in_a_loss(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla", "average_decay=0.9"), tiny_dataset((2,)))
    for average in trainer.players.average:
        average.assign(0 * average)
    terms = eager_terms(trainer, "generator")
    assert (array(terms.averaged(terms.latents)) == 0).all()
    assert (array(terms.fake_samples) != 0).any()


def test_averaged_statistics_follow_the_raw_ones_where_the_recipe_wants_it(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla", "average_decay=0.5", "average_state=average"), tiny_dataset((2,)))
    weights = trainer.players.generator.trainable_variables
    assert len(trainer.players.average) > len(weights)
    moving = next(each for each in trainer.players.generator.non_trainable_variables if "moving_mean" in each.path)
    average = next(mine for raw, mine in trainer.players.averaged_pairs if raw is moving)
    trainer.step()
    assert array(average) == pytest.approx(0.9 * array(moving), rel=1e-5)  # .1 of what it was, which was 0


def test_recomputed_statistics_are_the_means_over_batches_of_the_averaged_generator(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    settings = ("average_decay=0.9", "average_state=recompute", "batch_size=8")
    trainer = Trainer(make_stack("vanilla", *settings), tiny_dataset((2,)))
    trainer.train(3)
    sampler = trainer.sampler
    first = sampler.normalizations[0]
    kernel, bias = (array(value) for _, value in sampler.averages()[:2])
    values = {
        variable.name: array(value)
        for variable, value in sampler.standing()
        if any(variable is each for each in first.variables)
    }
    inputs = [array(sampler.latents(8, STANDING_SEED + number)) @ kernel + bias for number in range(STANDING_BATCHES)]
    np.testing.assert_allclose(
        values["moving_mean"], np.mean([each.mean(axis=0) for each in inputs], axis=0), atol=1e-5
    )
    variances = [each.var(axis=0) for each in inputs]
    assert values["moving_variance"] == pytest.approx(np.mean(variances, axis=0), rel=0.2)  # Bessel's correction is in
    assert np.isfinite(sampler.samples(sampler.latents(4, 0))).all()


def test_schedules_have_exact_ends_and_a_cosine_its_mean_in_the_middle() -> None:
    assert [float(losses.linear(2.0, 1.0, ops.convert_to_tensor(each))) for each in (0.0, 0.5, 1.0)] == [2, 1.5, 1]
    found = [float(losses.cosine(2.0, 1.0, ops.convert_to_tensor(each))) for each in (0.0, 0.25, 0.5, 1.0)]
    assert found == pytest.approx([2, 1.5 + np.sqrt(2) / 4, 1.5, 1], rel=1e-6)


def test_the_engine_finds_out_what_is_logged_without_running_anything(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(
        make_stack("vanilla+observing", plugins=["observing"]), tiny_dataset((2,)), engine=backend.engine()
    )
    assert "discriminator/observing/share" in trainer.updates.metric_names
    assert trainer.state()["plugin/observed_updates"] == 0
