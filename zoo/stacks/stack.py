"""A stack: the plugins of one run under one pluggy manager, with the recipe that joins theirs."""

import difflib
import inspect
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy
from pluggy import HookImpl

from zoo import hookspecs
from zoo.base.shortages import is_shortage
from zoo.catalogue import HOOKS
from zoo.errors import ZooError, nearest_name
from zoo.recipe import Recipe, Setting, join_recipes
from zoo.stacks import defaults

CORE = "zoo"  # the name under which the defaults are registered
REQUIRED = ("generator", "discriminator", "discriminator_loss", "generator_loss")
DICTS = ("schedule", "variables", "networks", "observe")  # hooks whose answers are dicts
HOOKS_OF_PLAYER = {
    "discriminator": ("discriminator_loss", "discriminator_penalty"),
    "generator": ("generator_loss", "generator_penalty"),
}


@dataclass(frozen=True)
class Stack:
    """The plugins of one run in their order, ready to be asked through their hooks."""

    name: str
    plugins: Mapping[str, Any]  # name to module, the lowest first
    manager: pluggy.PluginManager
    recipe: Recipe
    recipe_sources: Mapping[str, str]  # of each field: where its value comes from

    @property
    def hook_names(self) -> list[str]:
        """The names of all hooks of the contract."""
        callers = vars(self.manager.hook).items()
        return [name for name, caller in callers if isinstance(caller, pluggy.HookCaller) and caller.has_spec()]

    def implementations(self, hook: str, wrappers: bool = False) -> list[HookImpl]:
        """The plugins' plain answers to a hook (or its wrappers), in the stack's order, the core's default first."""
        found = {impl.plugin_name: impl for impl in getattr(self.manager.hook, hook).get_hookimpls()}
        order = [CORE, *self.plugins]
        return [found[name] for name in order if name in found and found[name].wrapper == wrappers]

    def arguments(self, hook: str) -> tuple[str, ...]:
        """The names that a hook's implementations may ask for, in the contract's order."""
        spec = getattr(self.manager.hook, hook).spec
        return tuple(spec.argnames)

    def provider(self, hook: str) -> str:
        """The name of the plugin whose answer to a `first` hook wins."""
        return str(self.implementations(hook)[-1].plugin_name)

    def answer_of(self, hook: str, plugin: str | None = None) -> str:
        """`Plugin 'x', hook 'y' (x.py, line 12)`, where the hook's function begins; by default the winning answer."""
        plugin = self.provider(hook) if plugin is None else plugin
        impl = next(each for each in self.implementations(hook) if each.plugin_name == plugin)
        code = getattr(inspect.unwrap(impl.function), "__code__", None)
        place = f" ({Path(code.co_filename).name}, line {code.co_firstlineno})" if code else ""
        return f"Plugin '{plugin}', hook '{hook}'{place}"

    @property
    def loss_family(self) -> str | None:
        """The family that the plugin with the discriminator's loss declares."""
        return getattr(self.plugins[self.provider("discriminator_loss")], "LOSS_FAMILY", None)

    def argument_names(self, *hooks: str) -> set[str]:
        """The names of all arguments that the stack's implementations and wrappers of these hooks ask for."""
        return {
            argument
            for hook in hooks
            for impl in [*self.implementations(hook), *self.implementations(hook, wrappers=True)]
            for argument in impl.argnames
        }

    def winning_arguments(self, hook: str) -> set[str]:
        """The names that the winning answer to a `first` hook asks for, and the wrappers around it."""
        heard = [self.implementations(hook)[-1], *self.implementations(hook, wrappers=True)]
        return {argument for impl in heard for argument in impl.argnames}

    def first(self, hook: str, **arguments: Any) -> Any:
        """The stack's answer to a `first` hook."""
        with self.blaming_plugins():
            answer = getattr(self.manager.hook, hook)(**{name: arguments.get(name) for name in self.arguments(hook)})
        if answer is None:
            providers = ", ".join(f"'{impl.plugin_name}'" for impl in self.implementations(hook))
            raise ZooError(f"The hook '{hook}' returned nothing; answered by {providers}. Return a value from it.")
        return answer

    def each(self, hook: str, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """The plugins' own answers to a `joined`, `chained` or `summed` hook, each with the plugin's name."""
        for impl in self.implementations(hook):
            with self.blaming_plugins():
                answer = impl.function(*(arguments[name] for name in impl.argnames))
            if hook in DICTS and not isinstance(answer, Mapping) and not (hook == "observe" and answer is None):
                raise ZooError(
                    f"{self.answer_of(hook, impl.plugin_name)}: must return a dict by name, received "
                    f"{type(answer).__name__}."
                )
            yield impl.plugin_name, answer

    @contextmanager
    def blaming_plugins(self) -> Iterator[None]:
        """Turn an exception from inside a plugin into a ZooError that names plugin, hook and line."""
        try:
            yield
        except ZooError:
            raise
        except Exception as error:
            if is_shortage(error):  # no plugin's fault
                raise
            blamed = self.blamed(error)
            if blamed is None and any(each in type(error).__name__ for each in LEAKS):
                blamed = "A plugin of this stack"  # a backend finds it when the plugin has returned
            if blamed is None:
                raise
            raise ZooError(f"{blamed}: {explained(error)}") from error

    def blamed(self, error: Exception) -> str | None:
        """`Plugin 'x', hook 'y' (x.py, line 12)` for the plugin's code that an exception passed, if any."""
        files = {getattr(plugin, "__file__", None) or "": name for name, plugin in self.plugins.items()}
        tracebacks = [each.__traceback__ for each in dict.fromkeys((error, original(error)))]
        frames_passed = [frame for each in tracebacks for frame in traceback.extract_tb(each)]
        passed = [(each.filename, each.lineno or 0, each.name) for each in frames_passed]
        told = [(file, int(line), name) for file, line, name in GRAPH_FRAME.findall(str(error))]
        frames = [each for each in passed if each[0] in files] or [each for each in told if each[0] in files]
        if not frames:
            return None
        file, line, function = frames[-1]
        hook = next((name for *_, name in frames if name in self.hook_names), None)
        where = f"hook '{hook}'" if hook else f"function '{function}'"
        return f"Plugin '{files[file]}', {where} ({file.rpartition('/')[2]}, line {line})"


def build_stack(name: str, plugins: Mapping[str, Any], settings: Sequence[tuple[str, list[Setting]]] = ()) -> Stack:
    """Register the plugins, check their hooks, and join their recipes.

    `settings` are recipe values to lay over the recipe of the plugin that each names ("" for those that lie over all).
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for caller in vars(manager.hook).values():
        if isinstance(caller, pluggy.HookCaller) and caller.spec is not None:  # pluggy reads them from the code alone
            caller.spec.argnames = getattr(caller.spec.function, "argument_names", caller.spec.argnames)
    manager.register(defaults, CORE)
    for plugin_name, plugin in plugins.items():
        register(manager, plugin_name, plugin)
    draft = Stack(name, dict(plugins), manager, Recipe(), {})
    check_hooks(draft)
    check_one_game(draft)
    layers: list[tuple[str, Recipe | list[Setting]]] = []
    recipes = dict(draft.each("recipe"))
    for plugin_name in plugins:
        if plugin_name in recipes:
            layers.append((plugin_name, checked_recipe(draft, plugin_name, recipes[plugin_name])))
        layers += [(above, values) for above, values in settings if above == plugin_name]
    layers += [(above, values) for above, values in settings if above == ""]
    recipe, sources = join_recipes(layers)
    return Stack(name, dict(plugins), manager, recipe, sources)


def checked_recipe(stack: Stack, plugin: str, recipe: Any) -> Recipe:
    """The answer to the `recipe` hook, if it is one."""
    if not isinstance(recipe, Recipe):
        raise ZooError(
            f"{stack.answer_of('recipe', plugin)}: must return an instance of a frozen subclass of zoo.Recipe; "
            f"received {type(recipe).__name__}."
        )
    undeclared = [name for name in vars(type(recipe)).get("__annotations__", {}) if name not in vars(recipe)]
    if undeclared:
        raise ZooError(
            f"{stack.answer_of('recipe', plugin)}: the class {type(recipe).__name__} has the field '{undeclared[0]}' "
            "and is no dataclass. Write @dataclass(frozen=True) above it."
        )
    return recipe


def register(manager: pluggy.PluginManager, name: str, plugin: Any) -> None:
    """Register a plugin, and say what there is where it names a hook or an argument that there is not."""
    try:
        manager.register(plugin, name)
    except pluggy.PluginValidationError as error:
        raise ZooError(explained_argument(manager, name, str(error))) from error
    unknown_hooks = [
        hook
        for hook, caller in vars(manager.hook).items()
        if isinstance(caller, pluggy.HookCaller) and not caller.has_spec() and hook not in HOOKS.values()
    ]
    if unknown_hooks:
        known = [hook for hook, caller in vars(manager.hook).items() if hook not in unknown_hooks and hook[0] != "_"]
        nearest = nearest_name(unknown_hooks[0], known)
        mend = f" Did you mean '{nearest}'?" if nearest else ""
        raise ZooError(
            f"Plugin '{name}' implements an unknown hook '{unknown_hooks[0]}'.{mend} Available: {', '.join(known)}."
        )


def explained_argument(manager: pluggy.PluginManager, plugin: str, problem: str) -> str:
    """pluggy's complaint about a hook's arguments in one sentence, with the arguments that there are."""
    hook = re.search(r"for hook '(\w+)'", problem)
    argument = re.search(r"\{'(\w+)'", problem)
    if not hook or not argument:
        return f"Plugin '{plugin}': {problem}"
    available = getattr(manager.hook, hook[1]).spec.argnames
    nearest = difflib.get_close_matches(argument[1], available, n=1)
    mend = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return (
        f"Plugin '{plugin}', hook '{hook[1]}': unknown argument '{argument[1]}'.{mend} "
        f"Available: {', '.join(available) or 'none'}."
    )


def check_hooks(stack: Stack) -> None:
    """Refuse a stack that lacks a hook, or that wraps where answers are not `first`."""
    for hook in stack.hook_names:
        wrappers = stack.implementations(hook, wrappers=True)
        if wrappers and not getattr(stack.manager.hook, hook).spec.opts["firstresult"]:
            raise ZooError(
                f"Plugin '{wrappers[0].plugin_name}', hook '{hook}': can't be wrapped, because every plugin's answer "
                "counts there. Remove wrapper=True."
            )
        if hook in REQUIRED and not stack.implementations(hook):
            wrapped = f", though '{wrappers[0].plugin_name}' wraps it" if wrappers else ""
            raise ZooError(
                f"No plugin of the stack '{stack.name}' answers the hook '{hook}'{wrapped}. Put one that does below "
                f"it, as in PLUGIN+{stack.name}: zoo list plugins shows what there is."
            )


FORMULAS = (  # hooks whose docstrings say what a plugin computes, in the order of a step
    "augment", "move_latents", "discriminator_loss", "discriminator_penalty", "generator_loss", "generator_penalty",
    "schedule", "observe",
)  # fmt: skip


def check_one_game(stack: Stack) -> None:
    """Refuse a stack whose two losses come from plugins that do not say that they belong together."""
    of_discriminator, of_generator = (stack.provider(f"{player}_loss") for player in HOOKS_OF_PLAYER)
    families = [getattr(stack.plugins[name], "LOSS_FAMILY", None) for name in (of_discriminator, of_generator)]
    if of_discriminator != of_generator and (None in families or len(set(families)) > 1):
        raise ZooError(
            f"The stack '{stack.name}' plays two different games: its discriminator_loss is the plugin "
            f"'{of_discriminator}''s (family {families[0]}), its generator_loss '{of_generator}''s (family "
            f"{families[1]}). Take both from one plugin; or, where they do belong together, let both declare the same "
            "LOSS_FAMILY."
        )


# In an error of a compiled graph, where it was traced.
GRAPH_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\w+)')
LEAKS = ("UnexpectedTracer", "InaccessibleTensor")  # in the names of JAX' and TensorFlow's errors of values of branches
MENDS = (  # what marks the error of a typical mistake in traced code, and what to say in its place
    (
        ("as a Python `bool`", "as a Python bool", "TracerBool"),
        "a Python `if` or `while` can't depend on a tensor. Use keras.ops.where or keras.ops.cond instead.",
    ),
    (
        (
            "to a numpy array",
            "TracerArrayConversion",
            "TracerIntegerConversion",
            "ConcretizationType",
            "float() argument must be",
            "int() argument must be",
            "Iterating over a symbolic",
            "has no attribute 'numpy'",
        ),
        "while a step is traced a tensor is no number yet. Compute with keras.ops instead of NumPy, float(), int() or "
        "a Python loop.",
    ),
    (
        ("[JAX RNG]",),
        "keras.random without a seed can't be resumed. Pass it a seed: in a hook its argument 'seed', in a layer a "
        "keras.random.SeedGenerator that its __init__ makes.",
    ),
    (
        ("__jax_array__", "Could not convert <Variable"),
        "keras.ops takes no keras.Variable as it is on every backend. Give it ops.convert_to_tensor(variable).",
    ),
    (
        (*LEAKS, "out of scope", "leaked"),
        "what is computed inside keras.ops.cond or a loop can't be used outside of it, unless the function there "
        "returns it. Return it, or decide by keras.ops.where.",
    ),
    (
        ("Expected any non-tensor type, but got a tensor", "'dict' object has no attribute"),
        "a dict of tensors is no tensor. Take one of it by its name, as in latents['latents'].",
    ),
)
KERAS_WRAPPING = re.compile(  # Keras prints the reason in bold below a first line that says where
    r"Exception encountered when calling (?P<where>.*?)\.\n\n(?:\x1b\[\d+m)*(?P<why>[^\n\x1b]+)", re.DOTALL
)


def explained(error: Exception) -> str:
    """What went wrong inside a plugin, with the mend for the mistakes that are typical of traced code."""
    error = original(error)
    kind, text = type(error).__name__, str(error).strip()
    for marks, mend in MENDS:
        if any(mark in f"{kind} {text}" for mark in marks):
            return mend
    if wrapped := KERAS_WRAPPING.search(text):
        return f"{kind} in {wrapped['where']}: {wrapped['why'].strip()}"
    return f"{kind}: {text.partition(chr(10))[0]}"


def original(error: Exception) -> Exception:
    """The error that Keras failed to repeat with a layer's name, as it fails with some of JAX', or the error itself."""
    while "_error_repr" in str(error) and isinstance(error.__context__, Exception):
        error = error.__context__
    return error
