"""What must hold for every stack: one function for each check, in the order in which they run.

A check returns where it holds, raises AssertionError or ZooError where it does not, and NotApplicableError where the
stack has nothing that it could look at.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.options import EngineOptions
from zoo.hookspecs import Player
from zoo.networks import weights_hash
from zoo.testing.differences import check_gradients
from zoo.testing.subject import (
    STEPS,
    NotApplicableError,
    State,
    Subject,
    op_by_op,
    steps,
)
from zoo.training.latents import named_outputs
from zoo.training.names import LABELS, SAMPLES
from zoo.training.players import Generating
from zoo.training.sampler import CHUNK, sliced
from zoo.training.trainer import Trainer
from zoo.training.updates import PLAYERS

FEW = 3  # samples
FURTHER = 1  # steps op by op
TOLERANCE = 1e-5  # of samples in [-1, 1]: a batch of another size may be summed in another order
LARGER = 2  # times the batch that the recipe says


def the_stack_loads_and_its_recipe_is_complete(subject: Subject) -> None:
    """Every attribute of a plugin's recipe class is a field: one without an annotation would be none."""
    for plugin, recipe in subject.stack.each("recipe"):
        fields = {each.name for each in dataclasses.fields(recipe)}
        for name, value in vars(type(recipe)).items():
            if not (name.startswith("_") or name in fields or callable(value) or hasattr(value, "__get__")):
                subject.fail(
                    f"every attribute of the recipe of '{plugin}' to be a field, as in "
                    f"`{name}: {type(value).__name__} = {value!r}`",
                    f"`{name} = {value!r}` without an annotation",
                )


def it_trains_and_every_metric_is_finite(subject: Subject) -> None:
    """Losses, penalties, norms of gradients, and what `observe` logs."""
    metrics = subject.trained.metrics
    broken = {name: value for name, value in metrics.items() if not np.isfinite(value)}
    if broken:
        subject.fail(f"every metric to be finite after {STEPS} steps", listed(broken))


def every_variable_of_the_state_is_finite(subject: Subject) -> None:
    """Weights, moving statistics, optimizers' moments, averages, plugins' variables."""
    broken = [name for name, array in subject.trained.last.items() if not np.isfinite(array).all()]
    if broken:
        subject.fail(f"every variable to be finite after {STEPS} steps", f"others in {', '.join(broken)}")


def every_trainable_weight_moves(subject: Subject) -> None:
    """Of both players, and of the further networks that are trained with one."""
    trained = subject.trained
    players, names = trained.trainer.players, names_of(trained.trainer)
    networks = [weight for each in players.networks.values() for weight in each.weights]
    weights = [*players.generator.trainable_variables, *players.discriminator.trainable_variables, *networks]
    first, last = trained.first, trained.last
    still = [
        f"{names[id(each)]} ({each.path})"
        for each in weights
        if np.array_equal(first[names[id(each)]], last[names[id(each)]]) and not may_stay(each, last[names[id(each)]])
    ]
    if still:
        subject.fail(f"every trainable weight to have moved after {STEPS} steps", f"no change of {', '.join(still)}")


def may_stay(weight: Any, value: np.ndarray) -> bool:
    """A bias that normalization or a difference of means takes out again, or a weight held at its bound."""
    limit = getattr(weight.constraint, "limit", np.inf)
    return weight.name == "bias" or bool((np.abs(value) == np.float32(limit)).all())


def an_update_changes_only_its_own_player(subject: Subject) -> None:
    """The player's model, its networks and optimizers; declared variables; the average where it is the generator's."""
    trainer = subject.trained.trainer
    for player in PLAYERS:
        before = trainer.state()
        trainer.calls[player](trainer.feed.update(player, trainer.steps, 0))
        after = trainer.state()
        trainer.set_state(before)
        own = owners(trainer, player)
        others = [name for name in changed(before, after) if name.partition("/")[0] not in own]
        if others:
            subject.fail(f"the {player}'s update to change nothing else", f"changes of {', '.join(others)}")


def owners(trainer: Trainer, player: Player) -> set[str]:
    """The first parts of the names of what a player's update may change."""
    networks = [f"network_{name}{kind}" for name in trainer.players.networks_of(player) for kind in ("", "_optimizer")]
    return {player, f"{player}_optimizer", *networks, "plugin", *(["average"] if player == "generator" else [])}


def training_resumes_bit_for_bit(subject: Subject) -> None:
    """Further steps of the trained trainer, and of another one that begins with its state, end in the same state."""
    trained = subject.trained
    ends = []
    policy = op_by_op()
    if policy != trained.trainer.policy:
        trained.trainer.compile(policy)
    for trainer in (trained.trainer, subject.trainer(policy=policy)):
        trainer.set_state(trained.last)
        ends.append((steps(trainer, FURTHER), trainer.state()))
    trained.trainer.set_state(trained.last)
    (whole, state), (resumed, resumed_state) = ends
    if different := changed(state, resumed_state):
        subject.fail(
            f"{STEPS} + {FURTHER} steps with a checkpoint between to equal {STEPS + FURTHER} steps bit for bit",
            f"other values in {', '.join(different)}. What a hook draws comes from its `seed`; what it remembers is "
            "declared in `variables`, or lies in a model",
        )
    if resumed != whole:
        names = [name for name, value in resumed.items() if value != whole[name]]
        subject.fail("a resumed run to measure the same", f"other values of {', '.join(names)}")


def samples_have_the_shape_and_range_of_the_data(subject: Subject) -> None:
    """Float32, finite, images in [-1, 1], and other latents (or data) make other samples."""
    sampler = subject.trained.trainer.sampler
    samples = sampler.samples(sampler.latents(FEW, seed=1), seed=1)
    wanted = (FEW, *sampler.samples_field.shape)
    if samples.shape != wanted or samples.dtype != np.float32:
        subject.fail(f"{FEW} samples as float32 {wanted}", f"{samples.dtype} {samples.shape}")
    if not np.isfinite(samples).all():
        subject.fail("samples to be finite", "others")
    if sampler.samples_field.is_image and np.abs(samples).max() > 1 + TOLERANCE:
        subject.fail("pixels in [-1, 1] (a generator of images ends in tanh)", f"{np.abs(samples).max()}")
    if np.array_equal(samples[0], samples[1]):
        subject.fail("samples of different latents to differ", "equal ones")


def samples_are_a_function_of_the_seed_however_many_are_made(subject: Subject) -> None:
    """The same seed makes the same samples, another one others; a sample is the same whatever stands beside it."""
    sampler = subject.trained.trainer.sampler
    count = CHUNK + FEW  # so that one chunk is full and another is not
    inputs = sampler.latents(count, seed=1)
    samples = sampler.samples(inputs, seed=1)
    again = sampler.samples(sampler.latents(count, seed=1), seed=1)
    if not np.allclose(samples, again, atol=TOLERANCE):
        subject.fail("the same samples of the same seed", apart(samples, again))
    if np.array_equal(samples, sampler.samples(sampler.latents(count, seed=2), seed=2)) and not sampler.needs_rows:
        subject.fail("other samples of another seed", "the same")
    for fewer in (FEW, CHUNK):
        alone = sampler.samples(sliced(inputs, slice(fewer)), seed=1)
        if not np.allclose(samples[:fewer], alone, atol=TOLERANCE):
            subject.fail(
                f"the first {fewer} samples to be the same however many are made",
                f"{apart(samples[:fewer], alone)}: in inference a layer must not look at the rest of the batch",
            )


def a_conditional_generator_heeds_its_labels(subject: Subject) -> None:
    """The same latents under other labels make other samples."""
    sampler = subject.trained.trainer.sampler
    classes = sampler.generating.classes
    if not sampler.generating.is_conditional or not classes or classes < 2:
        raise NotApplicableError("the generator takes no labels")
    inputs = sampler.latents(1, seed=1)
    labels = {LABELS: np.arange(classes, dtype="int32")}
    made = sampler.samples({**{name: ops.repeat(each, classes, axis=0) for name, each in inputs.items()}, **labels})
    if all(np.array_equal(made[0], each) for each in made[1:]):
        subject.fail(f"other samples under each of {classes} labels", "the same")


def the_saved_generator_makes_the_same_samples(subject: Subject) -> None:
    """A .keras file, loaded again: layers of one's own are registered, and their configuration is complete."""
    sampler = subject.trained.trainer.sampler
    latents = sampler.latents(FEW, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "generator.keras")
        sampler.save_model(path)
        loaded = loaded_model(subject, path)
    made = named_outputs(Generating(loaded, sampler.generating.fields)(latents, training=False), SAMPLES)[SAMPLES]
    made = ops.convert_to_numpy(made)
    expected = sampler.samples(latents, seed=1)
    if made.shape != expected.shape:
        subject.fail(f"the saved generator to make samples of shape {expected.shape}", f"{made.shape}")
    if not (sampler.generating.has_noise or np.allclose(made, expected, atol=TOLERANCE)):
        subject.fail("the saved generator to make the same samples", apart(made, expected))


def loaded_model(subject: Subject, path: Path) -> Any:
    """The model in a file."""
    try:
        return keras.models.load_model(path)
    except Exception as error:  # Keras fails in many ways on a layer that it can't rebuild
        subject.fail(
            "keras.models.load_model to open generator.keras (mark each layer of your own with "
            "@keras.saving.register_keras_serializable, and give it a get_config)",
            f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}",
        )


def bfloat16_stays_finite(subject: Subject) -> None:
    """With --precision bfloat16 the layers between compute in it; samples and metrics are float32."""
    subject.trained  # noqa: B018  what does not train in float32 was told before
    trainer = subject.trainer(EngineOptions(precision="bfloat16"), policy=op_by_op())
    metrics = steps(trainer, FURTHER)
    broken = {name: value for name, value in metrics.items() if not np.isfinite(value)}
    if broken:
        subject.fail(f"every metric to be finite after {FURTHER} steps in bfloat16", listed(broken))
    samples = trainer.sampler.samples(trainer.sampler.latents(FEW, seed=1))
    if samples.dtype != np.float32 or not np.isfinite(samples).all():
        subject.fail("finite float32 samples in bfloat16", f"{samples.dtype}, or others than finite")


def declared_variables_are_saved(subject: Subject) -> None:
    """What a plugin declares in `variables` is in the state by its name, and comes back from there."""
    trained = subject.trained
    declared = trained.trainer.players.variables
    if not declared:
        raise NotApplicableError("no plugin declares variables")
    missing = [name for name in declared if f"plugin/{name}" not in trained.last]
    if missing:
        subject.fail("every declared variable to be in the state", f"none of {', '.join(missing)}")
    trained.trainer.set_state(trained.first)
    back = [
        name
        for name in declared
        if not np.array_equal(trained.trainer.state()[f"plugin/{name}"], trained.first[f"plugin/{name}"])
    ]
    trained.trainer.set_state(trained.last)
    if back:
        subject.fail("a declared variable to come back from a checkpoint", f"another value of {', '.join(back)}")


def frozen_networks_stay_as_they_are(subject: Subject) -> None:
    """Networks that are trained with no player: no update changes them, and no checkpoint holds them."""
    trained = subject.trained
    if not trained.hashes:
        raise NotApplicableError("no plugin declares a frozen network")
    for name, model in trained.trainer.players.frozen.items():
        if weights_hash(model) != trained.hashes[name]:
            subject.fail(f"the frozen network '{name}' to stay as it is", "other weights after training")
        if held := [each for each in trained.last if each.startswith(f"network_{name}/")]:
            subject.fail(f"no checkpoint to hold the frozen network '{name}'", ", ".join(held))


def gradients_are_right_to_second_order(subject: Subject) -> None:
    """Where a hook differentiates by `gradients`, its player's whole gradient equals finite differences of the loss."""
    subject.trained  # noqa: B018
    check_gradients(subject)


def hooks_take_a_batch_of_any_size(subject: Subject) -> None:
    """A batch twice as large as the recipe says: on several devices a hook sees another number than that, too."""
    trainer = subject.trained.trainer
    share = trainer.updates.share
    trainer.updates.share = LARGER * share
    try:
        for player in PLAYERS:
            inputs = trainer.feed.update(player, trainer.steps, 0)
            larger = {name: repeated(each) if "batch" in name else each for name, each in inputs.items()}
            row = ops.convert_to_numpy(trainer.compiled_update(player)(larger))
            if not np.isfinite(row).all():
                subject.fail(f"the {player}'s metrics to be finite on a batch of {LARGER * share}", f"{row}")
    finally:
        trainer.updates.share = share
        trainer.set_state(subject.trained.last)


def repeated(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A batch that is larger by its own rows."""
    return {name: np.concatenate([each] * LARGER) for name, each in batch.items()}


def names_of(trainer: Trainer) -> dict[int, str]:
    """The name in the state of each variable, by its identity."""
    return {id(variable): name for name, variable in trainer.variables().items()}


def changed(before: State, after: State) -> list[str]:
    """The names of what is not the same bit for bit."""
    return [name for name, array in before.items() if not np.array_equal(array, after[name], equal_nan=True)]


def listed(values: Mapping[str, float]) -> str:
    """`name = value`, one after the other."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def apart(one: np.ndarray, other: np.ndarray) -> str:
    """How far two arrays are from each other."""
    return f"others, up to {np.abs(one - other).max():.3g} apart"


def named(checks: Iterable[Callable[[Subject], None]]) -> dict[str, Callable[[Subject], None]]:
    """Checks by their sentences."""
    return {each.__name__.replace("_", " "): each for each in checks}


CHECKS = named([
    the_stack_loads_and_its_recipe_is_complete,
    it_trains_and_every_metric_is_finite,
    every_variable_of_the_state_is_finite,
    every_trainable_weight_moves,
    an_update_changes_only_its_own_player,
    training_resumes_bit_for_bit,
    samples_have_the_shape_and_range_of_the_data,
    samples_are_a_function_of_the_seed_however_many_are_made,
    a_conditional_generator_heeds_its_labels,
    the_saved_generator_makes_the_same_samples,
    declared_variables_are_saved,
    frozen_networks_stay_as_they_are,
    hooks_take_a_batch_of_any_size,
    bfloat16_stays_finite,
    gradients_are_right_to_second_order,
])  # fmt: skip
