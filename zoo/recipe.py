"""Recipes: the hyperparameters of a stack, a frozen dataclass joined from those of its plugins."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from zoo.errors import ZooError, unknown

LEARNING_RATES = ("generator_learning_rate", "discriminator_learning_rate")
Normalization = Literal["none", "batch", "layer", "instance", "group", "spectral"]
Schedule = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters that every stack has; a plugin subclasses it to add its own and to set its paper's values."""

    batch_size: int = 64
    latent_size: int = 100  # Z
    critic_steps: int = 1  # discriminator updates in one step
    generator_steps: int = 1  # generator updates in one step
    generator_batch_factor: int = 1  # batches in one batch of the generator (Miyato et al. 2018 draw two)
    accumulation: int = 1  # parts that a batch is computed in, one after the other, whose gradients are averaged
    horizon: int = 0  # images that schedules stretch over; 0 where nothing is scheduled
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    learning_rate_schedule: Schedule = "constant"
    """How both learning rates fall over the horizon, to `learning_rate_end`; constant: as the stack has it."""
    learning_rate_end: float = 0.0  # the share of both learning rates that is left at the horizon
    warm_up: int = 0  # images in which both learning rates rise from 0, whatever schedules them
    gradient_clip_norm: float = 0.0  # the largest norm of a player's whole gradient; 0 for any
    beta_1: float = 0.5  # of Adam
    beta_2: float = 0.999
    epsilon: float = 1e-8  # of the optimizers; Keras' own default is another
    average_decay: float = 0.0  # of the averaged generator; 0 keeps none
    average_state: Literal["raw", "average", "recompute"] = "raw"
    """What the averaged generator normalizes by: the raw generator's moving statistics, their average, or statistics
    of its own, recomputed over batches before samples are drawn (Brock et al. 2018, appendix C.1)."""
    fake_labels: Literal["data", "uniform", "batch"] = "data"
    """The labels that a conditional generator is given: drawn by the classes' frequencies in the dataset, with equal
    chances, or those of the real batch."""
    discriminator_normalization: Normalization = "batch"
    freeze_discriminator: int = 0
    """Its lowest layers with weights that keep those which `--from` gave them (FreezeD, Mo et al. 2020,
    arXiv:2002.10964)."""
    mirror: bool = False  # whether a real image is seen from left to right or from right to left by chance

    def __post_init__(self) -> None:
        """Refuse values that no stack can use."""
        positive = (
            "batch_size", "latent_size", "critic_steps", "generator_steps", "generator_batch_factor", "accumulation",
        )  # fmt: skip
        not_negative = (
            "generator_learning_rate", "discriminator_learning_rate", "epsilon", "horizon", "learning_rate_end",
            "warm_up", "gradient_clip_norm", "freeze_discriminator",
        )  # fmt: skip
        fractions = ("beta_1", "beta_2", "average_decay")
        problems = [f"{name} must be at least 1" for name in positive if getattr(self, name) < 1]
        problems += [f"{name} must not be negative" for name in not_negative if getattr(self, name) < 0]
        problems += [f"{name} must be in [0, 1)" for name in fractions if not 0 <= getattr(self, name) < 1]
        if self.accumulation > 1 and self.batch_size % self.accumulation:
            problems.append(
                f"batch_size must be a multiple of accumulation, and {self.batch_size} is none of {self.accumulation}"
            )
        if problems:
            raise ZooError(f"The recipe can't be used: {'; '.join(problems)}.")


@dataclass(frozen=True)
class Setting:
    """One value on its way into a recipe, and where it was written."""

    field: str
    value: Any
    source: str  # "dcgan", "registry.yaml:12", "--set"


def join_recipes(layers: Sequence[tuple[str, Recipe | Iterable[Setting]]]) -> tuple[Recipe, dict[str, str]]:
    """The recipe of a stack, and for each field the source of its value; later layers win.

    A layer is a plugin's name with its recipe, or a name with settings. Of a plugin's recipe only the fields that its
    own class annotates count, so that a default it merely inherits can't overwrite an earlier paper's value.
    """
    joined = stack_recipe_class([(name, type(layer)) for name, layer in layers if isinstance(layer, Recipe)])
    others = {type(layer) for _, layer in layers if isinstance(layer, Recipe)}
    settings = [
        setting
        for name, layer in layers
        for setting in (own_settings(name, layer, others) if isinstance(layer, Recipe) else layer)
    ]
    types_of = field_types(joined)
    if problems := setting_problems(types_of, settings):
        raise ZooError("\n".join(problems))
    values = {setting.field: checked(setting, types_of[setting.field]) for setting in settings}
    sources = dict.fromkeys((field.name for field in dataclasses.fields(joined)), "zoo default")
    return joined(**values), sources | {setting.field: setting.source for setting in settings}


def field_types(recipe: type[Recipe]) -> Mapping[str, Any]:
    """The type of each field of a recipe class."""
    return typing.get_type_hints(recipe)


def setting_problems(types_of: Mapping[str, Any], settings: Iterable[Setting]) -> list[str]:
    """What is wrong with each setting of a stack whose recipe has fields of these types: no such one, another type."""
    problems = []
    for setting in settings:
        try:
            if setting.field not in types_of:
                raise ZooError(f"{setting.source}: {unknown('recipe field', setting.field, types_of)}")
            checked(setting, types_of[setting.field])
        except ZooError as error:
            problems.append(str(error))
    return problems


def own_settings(plugin: str, recipe: Recipe, others: Set[type]) -> list[Setting]:
    """The values of the fields that the recipe was given, or that its class or one that it inherits from annotates.

    What it inherits from the recipe of another plugin of the stack counts where that plugin stands, not here.
    """
    own = [cls for cls in type(recipe).__mro__ if below_recipe(cls) and (cls is type(recipe) or cls not in others)]
    names = [name for cls in own for name in inspect.get_annotations(cls)]
    names += [each.name for each in dataclasses.fields(recipe) if getattr(recipe, each.name) != each.default]
    return [Setting(name, getattr(recipe, name), plugin) for name in dict.fromkeys(names)]


def below_recipe(cls: type) -> bool:
    """Whether a class is a proper subclass of `Recipe`."""
    return issubclass(cls, Recipe) and cls is not Recipe


def stack_recipe_class(classes: Sequence[tuple[str, type[Recipe]]]) -> type[Recipe]:
    """A class that inherits the recipe class of each plugin, which thus sees its own type in the stack's recipe."""
    check_own_fields_differ(classes)
    distinct = list(dict.fromkeys(cls for _, cls in reversed(classes)))
    bases = [cls for cls in distinct if not any(other is not cls and issubclass(other, cls) for other in distinct)]
    return dataclass(frozen=True)(types.new_class("StackRecipe", tuple(bases) or (Recipe,)))


def check_own_fields_differ(classes: Sequence[tuple[str, type[Recipe]]]) -> None:
    """Refuse two plugins that each invent a field of the same name: one value can't mean both."""
    shared = {field.name for field in dataclasses.fields(Recipe)}
    owners: dict[str, tuple[str, type[Recipe]]] = {}
    for plugin, cls in classes:
        for name in (field.name for field in dataclasses.fields(cls) if field.name not in shared):
            other, owner = owners.setdefault(name, (plugin, cls))
            if other != plugin and not (issubclass(cls, owner) or issubclass(owner, cls)):
                raise ZooError(
                    f"The plugins '{other}' and '{plugin}' both bring a recipe field '{name}'. Rename it in one of "
                    "them, or let one's recipe class inherit from the other's."
                )


def as_text(value: Any) -> str:
    """A recipe value as `key=value` takes it."""
    return ",".join(str(each) for each in value) if isinstance(value, tuple | list) else str(value)


def parse_setting(text: str, option: str = "--set") -> Setting:
    """The setting in `key=value` as typed after `--set`, or another option, its value read as YAML would."""
    from zoo.catalogue import parse_value

    field, equals, value = text.partition("=")
    if not equals or not field.strip():
        raise ZooError(f"{option} takes key=value, such as {option} batch_size=32; received '{text}'.")
    return Setting(field.strip(), parse_value(value), option)


def checked(setting: Setting, expected: Any) -> Any:
    """The setting's value as the field's type, or a ZooError that says what the field takes."""
    value = setting.value
    if typing.get_origin(expected) is tuple:
        (item,) = (each for each in typing.get_args(expected) if each is not Ellipsis)
        values = value.split(",") if isinstance(value, str) else value
        if isinstance(values, int):
            values = [values]
        if isinstance(values, list | tuple):
            return tuple(checked(dataclasses.replace(setting, value=read_item(each)), item) for each in values)
    elif typing.get_origin(expected) is Literal:
        if value in typing.get_args(expected):
            return value
    elif expected is float and is_number(value):
        return float(value)
    elif expected is not float and isinstance(value, expected) and (expected is bool or not isinstance(value, bool)):
        return value
    raise ZooError(f"{setting.source}: '{setting.field}' takes {described(expected)}; received {value!r}.")


def is_number(value: Any) -> bool:
    """Whether a value is an integer or a fraction, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def read_item(value: Any) -> Any:
    """One item of a comma-separated value as a number where it reads as one."""
    from zoo.catalogue import parse_value

    return parse_value(value) if isinstance(value, str) else value


def described(expected: Any) -> str:
    """A type in the words of an error message."""
    if typing.get_origin(expected) is Literal:
        return "one of " + ", ".join(str(each) for each in typing.get_args(expected))
    if typing.get_origin(expected) is tuple:
        return f"a list of {described(typing.get_args(expected)[0])}s, such as 128,128"
    return {int: "an integer", float: "a number", bool: "true or false", str: "text"}.get(expected, str(expected))
