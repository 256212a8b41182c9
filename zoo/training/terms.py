"""What the hooks of an update may name, computed only when one of them does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
from keras import ops
from pluggy import HookImpl

from zoo.backend.contract import Engine
from zoo.backend.scopes import Scope
from zoo.errors import ZooError
from zoo.hookspecs import Player
from zoo.losses import progress_of
from zoo.networks import FEATURES, called
from zoo.recipe import Recipe
from zoo.stacks.stack import CORE, HOOKS_OF_PLAYER, Stack, explained
from zoo.training.latents import by_name, generator_inputs, named_outputs
from zoo.training.names import LABELS, LOGITS, SAMPLES
from zoo.training.players import Players

Tensor = Any
Tensors = Mapping[str, Tensor]
Seeds = Mapping[str, keras.random.SeedGenerator]  # by plugin, the core's under CORE
REAL = frozenset(  # terms that need a real batch
    {"batch", *(f"real_{each}" for each in ("samples", "labels", "fields", "outputs", "logits", "features"))}
)


@dataclass(frozen=True)
class Moment:
    """When an update happens."""

    player: Player
    step: Tensor
    update: Tensor
    images_seen: Tensor
    recipe: Recipe  # with the scheduled values

    @property
    def progress(self) -> Tensor:
        """The share of the recipe's horizon that is behind, at most 1; raises ZooError without a horizon."""
        return progress_of(self.images_seen, self.recipe)


class Terms:
    """The terms of one update, named as in `zoo.hookspecs`; each is computed when first asked for."""

    def __init__(
        self,
        stack: Stack,
        players: Players,
        engine: Engine,
        count: int,
        moment: Moment,
        seeds: Seeds,
        batch: Tensors,
    ) -> None:
        self.stack = stack
        self.players = players
        self.count = count  # of samples that are seen here: on several devices a part of the batch
        self.moment = moment
        self.seeds = seeds
        self.batch = batch  # its fields, derived ones included; empty where the update sees nothing real
        self.player, self.step, self.update = moment.player, moment.step, moment.update
        self.images_seen, self.recipe = moment.images_seen, moment.recipe
        self.classes, self.fields = players.classes, players.fields
        self.variables = players.variables
        self.networks = players.models
        self.generator = players.generator
        self.discriminator = players.discriminator
        self.gradients = engine.input_gradients

    @property
    def progress(self) -> Tensor:
        """The share of the recipe's horizon that is behind."""
        return self.moment.progress

    def named(self, hook: str, names: set[str]) -> dict[str, Any]:
        """The terms of these names, computed in the order in which the contract lists them; `seed` is the core's."""
        values = {name: getattr(self, name) for name in self.stack.arguments(hook) if name in names - {"seed"}}
        return {**values, "seed": self.seeds[CORE]}

    def loss(self) -> tuple[Tensor, dict[str, Tensor]]:
        """The player's whole loss, and its parts by the names under which they are logged."""
        player = self.player
        arguments = self.named(f"{player}_loss", self.stack.argument_names(*HOOKS_OF_PLAYER[player]))
        total = self.scalar(self.stack.first(f"{player}_loss", **arguments), f"{player}_loss")
        parts = {f"{player}_loss": total}
        for impl in self.stack.implementations(f"{player}_penalty"):
            penalty = exact(self.as_tensor(impl, self.answered(f"{player}_penalty", impl, arguments)))
            if len(ops.shape(penalty)):
                raise ZooError(
                    f"{self.stack.answer_of(f'{player}_penalty', impl.plugin_name)}: must return a scalar, received a "
                    f"tensor of shape {tuple(ops.shape(penalty))}. Take its mean."
                )
            parts[penalty_name(player, impl)] = penalty
            total = total + penalty
        return total, parts

    def as_tensor(self, impl: HookImpl, answer: Any) -> Tensor:
        """A penalty as a tensor; a plain number is one too."""
        if isinstance(answer, int | float):
            return ops.convert_to_tensor(answer, dtype=keras.config.floatx())
        if not ops.is_tensor(answer):
            raise ZooError(
                f"{self.stack.answer_of(f'{self.player}_penalty', impl.plugin_name)}: must return a tensor, received "
                f"{type(answer).__name__}."
            )
        return answer

    @contextmanager
    def fitting(self, hook: str) -> Iterator[None]:
        """Blame the hook's last plugin where a model does not take what it returned."""
        try:
            yield
        except (ValueError, TypeError) as error:
            plugins = [each.plugin_name for each in self.stack.implementations(hook) if each.plugin_name != CORE]
            if not plugins or self.stack.blamed(error):
                raise
            raise ZooError(
                f"{self.stack.answer_of(hook, plugins[-1])}: the model does not take what it returned. "
                f"{explained(error)}"
            ) from error

    def scalar(self, loss: Tensor, hook: str) -> Tensor:
        """A loss, or the mean of a loss that has a value for each logit."""
        if not isinstance(loss, int | float) and not ops.is_tensor(loss):
            raise ZooError(f"{self.stack.answer_of(hook)}: must return a tensor, received {type(loss).__name__}.")
        try:
            return ops.mean(exact(loss)) if len(ops.shape(loss)) else exact(loss)
        except (TypeError, ValueError, AttributeError) as error:
            raise ZooError(
                f"{self.stack.answer_of(hook)}: must return a tensor, received {type(loss).__name__}."
            ) from error

    def answered(self, hook: str, impl: HookImpl, arguments: Mapping[str, Any]) -> Any:
        """One plugin's own answer to a hook where every answer counts, drawn from the plugin's own seed."""
        own = {**arguments, "seed": self.seeds[impl.plugin_name]}
        with self.stack.blaming_plugins():
            answer = impl.function(*(own[name] for name in impl.argnames))
        if answer is None:
            told = self.stack.answer_of(hook, impl.plugin_name)
            raise ZooError(f"{told}: returned nothing. Return a tensor from it.")
        return answer

    @cached_property
    def latents(self) -> Any:
        """What the generator is given, after the chain of hooks that move it."""
        latents = self.drawn_latents
        for impl in self.stack.implementations("move_latents"):
            named = self.named("move_latents", set(impl.argnames) - {"latents"})
            latents = self.answered("move_latents", impl, {**named, "latents": latents})
        return latents

    @cached_property
    def drawn_latents(self) -> Any:
        """What the generator would be given, if no hook moved it."""
        return self.draw_latents()

    def draw_latents(self, count: int | None = None) -> Any:
        """Inputs of the generator from the stack's own distribution."""
        wanted = self.count if count is None else count
        return generator_inputs(self.stack, self.players.generating, wanted, self.seeds[CORE], self.recipe, self.batch)

    @cached_property
    def generated(self) -> dict[str, Tensor]:
        """All that the generator makes of the latents."""
        return self.made(self.latents)

    def made(self, latents: Any) -> dict[str, Tensor]:
        """All that the generator makes of latents, in training mode."""
        moved = self.stack.implementations("move_latents")
        with self.fitting("move_latents" if moved else "latents"):
            return named_outputs(self.players.generating(latents, training=True), SAMPLES)

    def generate(self, latents: Any) -> Tensor:
        """From latents to samples, in training mode."""
        return self.made(latents)[SAMPLES]

    def averaged(self, latents: Any) -> Tensor:
        """Samples of latents by the averaged generator, in inference mode; nothing is differentiated through it."""
        if not self.players.average:
            raise ZooError("A plugin of this stack needs the averaged generator: --set average_decay=0.999.")
        with Scope([(weight, average.value) for weight, average in self.players.averaged_pairs]):
            made = named_outputs(self.players.generating(latents, training=False), SAMPLES)
        return ops.stop_gradient(made[SAMPLES])

    @cached_property
    def real_samples(self) -> Tensor:
        """The real batch, before augmentation."""
        return self.batch[SAMPLES]

    @cached_property
    def fake_samples(self) -> Tensor:
        """What the generator makes of the latents."""
        return self.generated[SAMPLES]

    @cached_property
    def real_labels(self) -> Tensor | None:
        """The labels of the real batch, if it has any."""
        return self.batch.get(LABELS)

    @cached_property
    def fake_labels(self) -> Tensor | None:
        """The labels that the generator was given, else the real ones for a conditional discriminator."""
        given = by_name(self.latents)
        if LABELS in given:
            return given[LABELS]
        return self.real_labels if LABELS in self.players.judged else None

    @cached_property
    def real_fields(self) -> dict[str, Tensor]:
        """What the discriminator is given of the real batch."""
        return {name: self.batch[name] for name in self.players.judged}

    @cached_property
    def fake_fields(self) -> dict[str, Tensor]:
        """What the discriminator is given of generated samples: made, else given to the generator, else real."""
        generated = self.generated  # before the batch's: it may be all there is
        sources: tuple[Mapping[str, Tensor], ...] = (generated, by_name(self.latents), self.batch)
        return {name: next(each[name] for each in sources if name in each) for name in self.players.judged}

    @cached_property
    def real_outputs(self) -> dict[str, Tensor]:
        """The discriminator's whole answer to real samples."""
        return self.answer(self.real_fields, is_real=True)

    @cached_property
    def fake_outputs(self) -> dict[str, Tensor]:
        """The discriminator's whole answer to generated samples."""
        return self.answer(self.fake_fields, is_real=False)

    @cached_property
    def real_logits(self) -> Tensor:
        """Logits of real samples, (B, ...)."""
        return self.real_outputs[LOGITS]

    @cached_property
    def fake_logits(self) -> Tensor:
        """Logits of generated samples, (B, ...)."""
        return self.fake_outputs[LOGITS]

    @cached_property
    def real_features(self) -> Tensor:
        """What the discriminator's layer `features` makes of real samples."""
        return self.features_in(self.real_outputs)

    @cached_property
    def fake_features(self) -> Tensor:
        """What the discriminator's layer `features` makes of generated samples."""
        return self.features_in(self.fake_outputs)

    def features_in(self, outputs: Tensors) -> Tensor:
        """The features in a whole answer."""
        if FEATURES not in outputs:
            raise ZooError(f"A plugin of this stack needs a discriminator with a layer named '{FEATURES}'.")
        return outputs[FEATURES]

    @property
    def discriminate(self) -> Callable[..., Tensor]:
        """From samples, or all that the discriminator takes by name, to logits; augmented here."""
        return lambda samples, augmented=True: self.judge(samples, augmented)[LOGITS]

    def judge(self, fields: Any, augmented: bool = True) -> dict[str, Tensor]:
        """The discriminator's whole answer to samples alone, or to all that it takes by name."""
        if not isinstance(fields, Mapping):
            others = [name for name in self.players.judged if name != SAMPLES]
            if others:
                raise ZooError(
                    f"This discriminator also takes {', '.join(repr(each) for each in others)}: whose they are must be "
                    "said. Call discriminate({**real_fields, 'samples': samples}), or with fake_fields."
                )
            fields = {SAMPLES: fields}
        return self.answer(fields, is_real=None, augmented=augmented)

    def answer(self, fields: Tensors, is_real: bool | None, augmented: bool = True) -> dict[str, Tensor]:
        """The discriminator's whole answer, after the augmentations of every plugin of the stack in turn."""
        given = self.augmented(fields, is_real) if augmented else fields
        with self.fitting("augment"):
            outputs = named_outputs(called(self.players.judging, given, SAMPLES, training=True), LOGITS)
        return {name: exact(each) for name, each in outputs.items()}

    def augmented(self, fields: Tensors, is_real: bool | None) -> dict[str, Tensor]:
        """What the discriminator is given, after the chain of augmentations."""
        given = dict(fields)
        implementations = self.stack.implementations("augment")
        if not implementations:
            return given
        own = {"samples", "others", "is_real", "seed"}
        named = self.named("augment", self.stack.argument_names("augment") - own)
        for impl in implementations:
            samples, others = given[SAMPLES], {name: each for name, each in given.items() if name != SAMPLES}
            answer = self.answered("augment", impl, {**named, "samples": samples, "others": others, "is_real": is_real})
            changed = answer if isinstance(answer, Mapping) else {SAMPLES: answer}
            for name, value in changed.items():
                self.check_augmented(impl, name, value)
            given |= changed
        return given

    def check_augmented(self, impl: HookImpl, name: str, value: Any) -> None:
        """Raise ZooError for what is no batch; it may have another size, as packed samples have."""
        if not ops.is_tensor(value) or not len(ops.shape(value)):
            raise ZooError(
                f"{self.stack.answer_of('augment', impl.plugin_name)}: must return a batch of {name}, received "
                f"{type(value).__name__}."
            )

    def observed(self) -> dict[str, Any]:
        """The terms that the stack's `observe` hooks name, as far as this update has computed them."""
        names = self.stack.argument_names("observe") & OBSERVED.keys()
        at_hand = [name for name in OBSERVED if name in names and self.has(OBSERVED[name])]
        found = {name: getattr(self, name) for name in at_hand}
        return {name: each for name, each in found.items() if each is not None}

    def has(self, name: str) -> bool:
        """Whether a term is computed already."""
        return bool(self.batch) if name == "batch" else name in self.__dict__


OBSERVED = {  # what `observe` may name, and the term that each follows from
    "batch": "batch",
    "real_samples": "batch",
    "real_labels": "batch",
    "real_outputs": "real_outputs",
    "real_logits": "real_outputs",
    "fake_outputs": "fake_outputs",
    "fake_logits": "fake_outputs",
    "fake_samples": "generated",
    "generated": "generated",
    "latents": "latents",
    "fake_labels": "latents",
}


def exact(values: Any) -> Any:
    """What layers computed in bfloat16 as float32; anything else as it is."""
    is_rounded = hasattr(values, "dtype") and keras.backend.standardize_dtype(values.dtype) == "bfloat16"
    return ops.cast(values, "float32") if is_rounded else values


def penalty_name(player: str, impl: HookImpl) -> str:
    """Under which a plugin's penalty is logged."""
    return f"{player}_penalty/{impl.plugin_name}"


def metric_names(stack: Stack, player: str) -> list[str]:
    """What an update of the player measures: its loss without penalties, each penalty, the norm of its gradient."""
    penalties = [penalty_name(player, impl) for impl in stack.implementations(f"{player}_penalty")]
    return [f"{player}_loss", *penalties, f"{player}_gradient_norm"]
