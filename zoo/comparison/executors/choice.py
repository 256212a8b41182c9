"""The executor of a name, with the options that its user gave; those that mean nothing to it are refused."""

from dataclasses import dataclass, fields
from pathlib import Path

from zoo.catalogue import Catalogue
from zoo.comparison.executors.contract import Executor
from zoo.errors import ZooError
from zoo.extensions.loading import Extension, load_each, open_extension

KIND = "executors"
LOCAL = "local"  # the executor where none is named


@dataclass(frozen=True)
class ExecutorChoice:
    """An executor's name and the options of all executors, called as the arguments of the hook `executor` are."""

    name: str = LOCAL
    jobs: int | None = None  # at once
    threads: int | None = None  # of each job, as are cpus, gpus, memory_gb and time_limit
    address: str | None = None  # of a cluster
    cpus: float | None = None
    gpus: float | None = None
    memory_gb: float | None = None  # GiB
    partition: str | None = None
    time_limit: int | None = None  # minutes
    slurm: tuple[str, ...] = ()  # further options of sbatch, as name=value
    executor_option: tuple[str, ...] = ()  # of an executor from outside, as key=value

    @property
    def given(self) -> list[str]:
        """The names of the options that were given, in their order."""
        return [name for name in OPTIONS if getattr(self, name) not in (None, ())]


OPTIONS = tuple(each.name for each in fields(ExecutorChoice) if each.name != "name")


def check_choice(choice: ExecutorChoice, catalogue: Catalogue) -> Extension:
    """The chosen extension; raises ZooError where there is none, and for options that it does not take."""
    extension = open_extension(KIND, choice.name, catalogue)
    for option in choice.given:
        if option not in extension.arguments:
            raise ZooError(without_meaning(extension, option, catalogue))
    check_amounts(choice)
    pairs(choice.executor_option)
    return extension


def open_executor(choice: ExecutorChoice, folder: Path, catalogue: Catalogue) -> Executor:
    """The chosen executor for the runs in a folder; raises ZooError where it can't run any here."""
    extension = check_choice(choice, catalogue)
    options = {name: getattr(choice, name) for name in OPTIONS}
    options["executor_option"] = pairs(choice.executor_option)
    made: Executor = extension.answer(**options, folder=folder)
    extension.check_members(made, Executor, "a zoo.extensions.Executor")
    return made


def without_meaning(extension: Extension, option: str, catalogue: Catalogue) -> str:
    """The sentence about an option that means nothing to an executor, with those to which it means something."""
    everyone = load_each(KIND, catalogue.extensions[KIND].values(), lambda each: each)
    takers = " and ".join(sorted(each.entry.name for each in everyone if option in each.arguments))
    whose = f", which is an option of {takers}" if takers else ""
    available = ", ".join(flag(name) for name in OPTIONS if name in extension.arguments) or "no options"
    return f"The executor {extension.entry.name} has no {flag(option)}{whose}. It has: {available}."


def flag(name: str) -> str:
    """An option as the command line spells it."""
    return f"--{name.replace('_', '-')}"


def check_amounts(choice: ExecutorChoice) -> None:
    """Raises ZooError for an amount that no job can have; a job without GPUs is possible."""
    for name in ("jobs", "threads", "cpus", "memory_gb", "time_limit"):
        amount = getattr(choice, name)
        if amount is not None and amount <= 0:
            raise ZooError(f"{flag(name)} must be above 0, not {amount:g}.")
    if choice.gpus is not None and choice.gpus < 0:
        raise ZooError(f"--gpus must be 0 or more, not {choice.gpus:g}.")


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """Every `--executor-option KEY=VALUE`; raises ZooError for one that is written otherwise."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise ZooError(f"--executor-option {text}: expected KEY=VALUE.")
        found[key] = value
    return found
