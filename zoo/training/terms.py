"""What loss and penalty hooks may ask for, computed only when a hook asks."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import keras
from keras import ops
from pluggy._hooks import HookImpl

from zoo.backend.contract import Engine
from zoo.errors import ZooError
from zoo.stacks.stack import CORE, HOOKS_OF_PLAYER, Stack
from zoo.training.players import Players, takes_labels, with_labels

Tensor = Any
Seeds = Mapping[str, keras.random.SeedGenerator]  # by plugin, the core's under CORE
REAL = {"real_samples", "real_labels", "real_outputs", "real_logits"}  # terms that need a real batch


class Terms:
    """The terms of one update, named as in `zoo.hookspecs`; each is computed when first asked for."""

    def __init__(
        self,
        stack: Stack,
        players: Players,
        engine: Engine,
        classes: int | None,
        count: int,
        step: Tensor,
        seeds: Seeds,
        real_batch: Mapping[str, Tensor],
    ) -> None:
        self.stack = stack
        self.players = players
        self.classes = classes
        self.count = count  # of samples that are seen here: on several devices a part of the batch
        self.step = step
        self.seeds = seeds
        self.real_batch = real_batch
        self.recipe = stack.recipe
        self.variables = players.variables
        self.generator = players.generator
        self.discriminator = players.discriminator
        self.gradients = engine.input_gradients

    def named(self, names: set[str]) -> dict[str, Any]:
        """The terms of these names, computed in the order in which the contract lists them; `seed` is the core's."""
        order = self.stack.arguments("discriminator_loss")
        values = {name: getattr(self, name) for name in order if name in names and name != "seed"}
        return {**values, "seed": self.seeds[CORE]}

    def loss(self, player: str) -> tuple[Tensor, dict[str, Tensor]]:
        """The player's whole loss, and its parts by the names under which they are logged."""
        arguments = self.named(self.stack.argument_names(*HOOKS_OF_PLAYER[player]))
        total = self.stack.first(f"{player}_loss", **arguments)
        parts = {f"{player}_loss": total}
        hook = f"{player}_penalty"
        for impl in self.stack.implementations(hook):
            penalty = self.answered(impl, arguments)
            parts[penalty_name(player, impl)] = penalty
            total = total + penalty
        return total, parts

    def answered(self, impl: HookImpl, arguments: Mapping[str, Any]) -> Tensor:
        """One plugin's own answer to a hook where every answer counts, drawn from the plugin's own seed."""
        own = {**arguments, "seed": self.seeds[impl.plugin_name]}
        with self.stack.blaming_plugins():
            answer = impl.function(*(own[name] for name in impl.argnames))
        if answer is None:
            hook = impl.function.__name__
            raise ZooError(f"Plugin '{impl.plugin_name}', hook '{hook}': returned nothing. Return a tensor from it.")
        return answer

    @cached_property
    def latents(self) -> Any:
        """What the generator is given."""
        arguments = {"count": self.count, "classes": self.classes, "recipe": self.recipe, "seed": self.seeds[CORE]}
        latents = self.stack.first("latents", real_batch=self.real_batch, **arguments)
        if takes_labels(self.generator) and not (isinstance(latents, dict) and "labels" in latents):
            drawn = keras.random.randint((self.count,), 0, self.classes, seed=self.seeds[CORE])
            return with_labels(latents, drawn)
        return latents

    @cached_property
    def real_samples(self) -> Tensor:
        """The real batch, before augmentation."""
        return self.real_batch["samples"]

    @cached_property
    def fake_samples(self) -> Tensor:
        """What the generator makes of the latents."""
        return self.generate(self.latents)

    @cached_property
    def real_labels(self) -> Tensor | None:
        """The labels of the real batch, if it has any."""
        return self.real_batch.get("labels")

    @cached_property
    def fake_labels(self) -> Tensor | None:
        """The labels that the generator was given, else the real ones for a conditional discriminator."""
        if isinstance(self.latents, dict) and "labels" in self.latents:
            return self.latents["labels"]
        return self.real_labels if takes_labels(self.discriminator) else None

    @cached_property
    def real_outputs(self) -> Any:
        """The discriminator's whole answer to real samples."""
        return self.answer(self.real_samples, self.real_labels)

    @cached_property
    def fake_outputs(self) -> Any:
        """The discriminator's whole answer to generated samples."""
        return self.answer(self.fake_samples, self.fake_labels)

    @cached_property
    def real_logits(self) -> Tensor:
        """Logits of real samples, (B, 1)."""
        return logits_of(self.real_outputs)

    @cached_property
    def fake_logits(self) -> Tensor:
        """Logits of generated samples, (B, 1)."""
        return logits_of(self.fake_outputs)

    @property
    def discriminate(self) -> Callable[..., Tensor]:
        """From samples, augmented here, to logits."""
        return lambda samples, labels=None: logits_of(
            self.answer(samples, self.real_labels if labels is None else labels)
        )

    def generate(self, latents: Any) -> Tensor:
        """From latents to samples, in training mode."""
        made = self.generator(latents, training=True)
        return made["samples"] if isinstance(made, dict) else made

    def answer(self, samples: Tensor, labels: Tensor | None) -> Any:
        """The discriminator's whole answer to samples, augmented by every plugin of the stack in turn."""
        augmented = self.augmented(samples)
        if takes_labels(self.discriminator):
            return self.discriminator({"samples": augmented, "labels": labels}, training=True)
        return self.discriminator(augmented, training=True)

    def augmented(self, samples: Tensor) -> Tensor:
        """Samples after the chain of augmentations."""
        others = {"step": self.step, "variables": self.variables, "recipe": self.recipe}
        for impl in self.stack.implementations("augment"):
            samples = self.answered(impl, {**others, "samples": samples})
        return samples


def logits_of(outputs: Any) -> Tensor:
    """The logits in a discriminator's answer, as float32 or wider."""
    logits = outputs["logits"] if isinstance(outputs, dict) else outputs
    return ops.cast(logits, "float32") if keras.backend.standardize_dtype(logits.dtype) != "float64" else logits


def penalty_name(player: str, impl: HookImpl) -> str:
    """Under which a plugin's penalty is logged."""
    return f"{player}_penalty/{impl.plugin_name}"


def metric_names(stack: Stack, player: str) -> list[str]:
    """What an update of the player measures: its loss without penalties, each penalty, the norm of its gradient."""
    penalties = [penalty_name(player, impl) for impl in stack.implementations(f"{player}_penalty")]
    return [f"{player}_loss", *penalties, f"{player}_gradient_norm"]
