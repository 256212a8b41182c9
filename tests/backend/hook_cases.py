"""Hooks of the plugins that are losses, penalties or augmentations alone, called on fixed arrays and tiny models.

No trainer: a case is a function of weights, samples and latents, whose value and gradient both backends must agree on,
and whose gradient must be that of finite differences. Penalties differentiate within, so that this is of second order.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
from by_hand import wrapped
from keras import ops

from zoo import backend, layers, losses, networks

STEP = 1e-6  # of the central difference
COUNT, LATENTS = 5, 3
WEIGHTS = {"discriminator_loss": 1.0, "discriminator_penalty": 0.7, "generator_loss": 0.5, "generator_penalty": 0.3}
POINTS, IMAGES = (2,), (10, 10, 2)


@dataclass(frozen=True)
class Case:
    """A plugin with recipe values, and what it is called on."""

    plugin: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = POINTS
    normalized: bool = False
    constant: tuple[str, ...] = ()  # the models whose weights the plugin holds fixed

    @property
    def name(self) -> str:
        """With the settings."""
        return " ".join([self.plugin, *(f"{name}={value}" for name, value in self.settings.items())])


GAPS = {"lecam_start": 0, "lecam_decay": 1.0}  # anchors that stay: they have no gradient
CASES = [
    Case("minimax"),
    Case("lsgan"),
    Case("ragan"),
    Case("ragan", {"relativistic_loss": "least-squares"}),
    Case("ragan", {"relativistic_loss": "hinge"}),
    *[Case("f_gan", {"divergence": name}) for name in ("kl", "reverse-kl", "neyman", "jensen-shannon")],
    Case("f_gan", {"divergence": "squared-hellinger", "f_gan_objective": "minimax"}),
    Case("f_gan", {"divergence": "pearson", "f_gan_objective": "minimax"}),
    Case("mmd_gan"),
    Case("mmd_gan", {"mmd_kernel": "gaussian", "mmd_dot_weight": 0.0}),
    Case("mmd_gan", {"mmd_kernel": "distance", "mmd_dot_weight": 0.0}),
    Case("cramer_gan"),
    Case("ebgan", {"autoencoder_width": 1, "autoencoder_code": 3}, IMAGES),
    Case("began", {"autoencoder_width": 1, "latent_size": LATENTS}, IMAGES),
    Case("wgan_lp"),
    Case("wgan_div"),
    Case("dragan"),
    Case("zero_gp"),
    Case("lecam", GAPS),
    Case("cr", shape=IMAGES),
    Case("bcr", shape=IMAGES),
    Case("zcr"),
    Case("orthogonal", {"orthogonal_weight": 1.0}),
    Case("orthogonal", {"orthogonal_weight": 1.0, "orthogonal_lengths": True}),
    Case("mode_seeking"),
    Case("path_length", {"path_length_decay": 0.0}),
    Case("instance_noise"),
    Case("top_k", {"top_k_epoch": 10}),
    Case("feature_matching"),
    Case("minibatch_discrimination"),
    Case("historical_averaging"),
    Case("unrolled", {"unrolled_steps": 2, "discriminator_learning_rate": 0.1}, constant=("discriminator",)),
    Case("logan", {"logan_weight": 1.0}),
    Case("virtual_batch_norm", {"reference_size": 4}, normalized=True),
    Case("diffaugment", shape=IMAGES),
    Case("ada", {"ada_filtering": 1.0, "ada_noise": 1.0, "ada_cutout": 1.0}, shape=(10, 10, 3)),
]


def generator(case: Case) -> keras.Model:
    """Two smooth dense layers."""
    latents = keras.Input((LATENTS,))
    x = keras.layers.Dense(4)(latents)
    x = layers.BatchNormalization()(x) if case.normalized else x
    x = keras.layers.Dense(int(np.prod(case.shape)))(keras.layers.Activation("softplus")(x))
    return keras.Model(latents, keras.layers.Reshape(case.shape)(x))


def discriminator(case: Case) -> keras.Model:
    """Two smooth dense layers."""
    samples = keras.Input(case.shape)
    x = keras.layers.Dense(3, "softplus", name="features")(keras.layers.Flatten()(samples))
    return keras.Model(samples, keras.layers.Dense(1)(x))


class Terms:
    """What hooks may name, of a case's models, by hand."""

    def __init__(self, made: "Made", real: Any, latents: Any) -> None:
        self.made = made
        self.generator, self.discriminator, self.variables = made.generator, made.discriminator, made.variables
        self.recipe, self.seed, self.fields = made.recipe, keras.random.SeedGenerator(1), {}
        self.gradients = made.gradients
        self.step, self.update, self.images_seen, self.progress = 5, 4, 30, ops.convert_to_tensor(0.25)
        self.real_samples, self.real_fields, self.drawn_latents = real, {"samples": real}, latents
        self.latents = latents
        if hasattr(made.module, "move_latents"):
            self.latents = made.answer("move_latents", self)

    def draw_latents(self, count: int = COUNT) -> Any:
        """Normal ones."""
        return keras.random.normal((count, LATENTS), seed=self.seed)

    def generate(self, latents: Any) -> Any:
        """Samples."""
        return self.generator(latents, training=True)

    @cached_property
    def fake_samples(self) -> Any:
        """Of the latents."""
        return self.generate(self.latents)

    @cached_property
    def fake_fields(self) -> Any:
        """Nothing but samples."""
        return {"samples": self.fake_samples}

    def judge(self, fields: Any) -> Any:
        """The whole answer to augmented samples, with the features where there are some."""
        samples = fields["samples"] if isinstance(fields, Mapping) else fields
        if hasattr(self.made.module, "augment"):
            self.samples = samples
            samples = self.made.answer("augment", self)
        return networks.called(self.made.judging, {"samples": samples}, "samples", training=True)

    def discriminate(self, fields: Any) -> Any:
        """Logits."""
        return self.judge(fields)["logits"]

    real_outputs = cached_property(lambda self: self.judge(self.real_samples))
    fake_outputs = cached_property(lambda self: self.judge(self.fake_samples))
    real_logits = cached_property(lambda self: self.real_outputs["logits"])
    fake_logits = cached_property(lambda self: self.fake_outputs["logits"])
    real_features = cached_property(lambda self: self.real_outputs["features"])
    fake_features = cached_property(lambda self: self.fake_outputs["features"])


class Made:
    """A case's models, variables and arrays; floats are those that are set."""

    def __init__(self, case: Case) -> None:
        self.module = importlib.import_module(f"zoo_plugins.{case.plugin}")
        own = self.module.recipe() if hasattr(self.module, "recipe") else None
        self.recipe = replace(own, **case.settings) if own else None
        given = {"sample_shape": case.shape, "recipe": self.recipe}
        self.generator = self.model("generator", generator(case), given)
        self.discriminator = self.model("discriminator", discriminator(case), given)
        outputs = networks.outputs_of(self.discriminator, "logits")
        outputs["features"] = self.discriminator.get_layer("features").output
        self.judging = keras.Model(self.discriminator.input, outputs)
        models = {"generator": self.generator, "discriminator": self.discriminator}
        self.gradients = backend.engine().input_gradients
        self.draw = np.random.default_rng(5)
        self.variables = self.called(self.module.variables, given | models) if hasattr(self.module, "variables") else {}
        for variable in self.variables.values():
            variable.assign(self.draw.uniform(0.1, 1.0, variable.shape))
        for weight in [each for model in models.values() for each in model.variables if "seed" not in each.path]:
            weight.assign(self.draw.normal(size=weight.shape) * 0.5)
        self.weights = [
            weight
            for name, model in models.items()
            if name not in case.constant
            for weight in model.trainable_variables
        ]
        self.arrays = [ops.convert_to_numpy(each) for each in self.weights]
        self.arrays += [self.draw.normal(size=(COUNT, *case.shape)), self.draw.uniform(-0.9, 0.9, (COUNT, LATENTS))]

    def called(self, function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        """A hook with the arguments that it names."""
        return function(**{name: given[name] for name in inspect.signature(function).parameters})

    def model(self, hook: str, below: keras.Model, given: Mapping[str, Any]) -> keras.Model:
        """What the plugin's hook answers, or makes of the model below."""
        function = getattr(self.module, hook, None)
        if function is None:
            return below
        if not inspect.isgeneratorfunction(function):
            return self.called(function, given)
        return wrapped(self.called(function, given), below)

    def answer(self, hook: str, terms: Terms) -> Any:
        """What the plugin's hook answers, a wrapper on the non-saturating loss."""
        function = getattr(self.module, hook)
        names = inspect.signature(function).parameters
        found = function(**{name: getattr(terms, name) for name in names})
        if inspect.isgenerator(found):
            return wrapped(found, losses.non_saturating_generator_loss(terms.fake_logits))
        return found

    def values(self, arrays: Sequence[Any]) -> list[Any]:
        """Of each of the plugin's losses and penalties; cross-entropy's where it has none."""
        *weights, real, latents = arrays
        with networks.substituted(zip(self.weights, weights, strict=True)):
            terms = Terms(self, real, latents)
            hooks = [name for name in WEIGHTS if hasattr(self.module, name)]
            if hooks:
                return [ops.mean(self.answer(name, terms)) for name in hooks]
            return [losses.cross_entropy_discriminator_loss(terms.real_logits, terms.fake_logits)]

    def total(self, arrays: Sequence[Any]) -> Any:
        """All values, each with a weight of its own."""
        return sum(value * weight for value, weight in zip(self.values(arrays), WEIGHTS.values(), strict=False))

    def measured(self, compiled: Callable[[Any], Any] = lambda function: function) -> tuple[list[float], np.ndarray]:
        """The values, and the gradient of their total by all arrays, one after the other."""
        arrays = [ops.convert_to_tensor(each, keras.config.floatx()) for each in self.arrays]
        both = compiled(lambda arrays: (self.values(arrays), self.gradients(self.total, arrays)))
        values, slopes = both(arrays)
        return [float(each) for each in values], np.concatenate(
            [np.ravel(ops.convert_to_numpy(each)) for each in slopes]
        )

    def slope_along(self, direction: np.ndarray) -> float:
        """The central difference of the total along a direction."""
        parts = np.split(direction, np.cumsum([array.size for array in self.arrays])[:-1])
        ends = [
            self.total(
                [
                    ops.convert_to_tensor(array + sign * STEP * part.reshape(array.shape), keras.config.floatx())
                    for array, part in zip(self.arrays, parts, strict=True)
                ]
            )
            for sign in (1, -1)
        ]
        return float(ends[0] - ends[1]) / (2 * STEP)
