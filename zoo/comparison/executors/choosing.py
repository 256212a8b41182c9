"""Which engine runs the jobs, by its name and the options that its user gave."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from zoo.comparison.executors.contract import Engine
from zoo.errors import ZooError, unknown


@dataclass(frozen=True)
class EngineChoice:
    """The options of all engines; None and () are options that were not given."""

    jobs: int | None = None  # at once
    threads: int | None = None  # of each job
    address: str | None = None  # of a Ray cluster
    cpus: float | None = None  # of each job, as all that follow
    gpus: float | None = None
    memory_gb: float | None = None
    partition: str | None = None
    time_limit: int | None = None  # minutes
    slurm: tuple[str, ...] = ()  # further options of sbatch, as name=value
    folder: Path = Path()  # of the comparison, whatever engine runs it


def engine_named(name: str, options: EngineChoice) -> Engine:
    """The engine of that name; an option that means nothing to it is refused."""
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    make, meaning = ENGINES[name]
    given = {each for each in ORDER if getattr(options, each) not in (None, ())}
    if strange := sorted(given - meaning):
        raise ZooError(without_meaning(name, strange))
    check_amounts(options)
    return make(options)


def without_meaning(name: str, strange: list[str]) -> str:
    """What is wrong with the first option that means nothing to an engine."""
    takers = " and ".join(sorted(each for each, (_, meaning) in ENGINES.items() if strange[0] in meaning))
    available = ", ".join(flag(each) for each in ORDER if each in ENGINES[name][1])
    return f"The engine {name} has no {flag(strange[0])}, which is an option of {takers}. It has: {available}."


def flag(name: str) -> str:
    """An option as the command line spells it."""
    return f"--{name.replace('_', '-')}"


def check_amounts(options: EngineChoice) -> None:
    """An amount is positive; no GPUs is one that can be wished."""
    for name in ("jobs", "threads", "cpus", "memory_gb", "time_limit"):
        amount = getattr(options, name)
        if amount is not None and amount <= 0:
            raise ZooError(f"{flag(name)} must be above 0, not {amount:g}.")
    if options.gpus is not None and options.gpus < 0:
        raise ZooError(f"--gpus must be 0 or more, not {options.gpus:g}.")


def _local(options: EngineChoice) -> Engine:
    from zoo.comparison.executors.local import LocalEngine

    return LocalEngine(options.jobs, options.threads)


def _ray(options: EngineChoice) -> Engine:
    from zoo.comparison.executors.ray import RayEngine

    return RayEngine(options.address, options.jobs, options.cpus, options.gpus, options.memory_gb)


def _slurm(options: EngineChoice) -> Engine:
    from zoo.comparison.executors.slurm import SlurmEngine

    return SlurmEngine(
        options.folder / "slurm",
        options.partition,
        options.time_limit,
        whole("cpus", options.cpus),
        whole("gpus", options.gpus),
        options.memory_gb,
        options.slurm,
        options.jobs,
    )


def whole(name: str, amount: float | None) -> int | None:
    """Slurm divides no core and, unlike Ray, no GPU."""
    if amount is not None and amount != int(amount):
        raise ZooError(f"{flag(name)} must be a whole number for Slurm, not {amount:g}.")
    return None if amount is None else int(amount)


ENGINES: dict[str, tuple[Callable[[EngineChoice], Engine], frozenset[str]]] = {
    "local": (_local, frozenset({"jobs", "threads"})),
    "ray": (_ray, frozenset({"address", "jobs", "cpus", "gpus", "memory_gb"})),
    "slurm": (_slurm, frozenset({"jobs", "cpus", "gpus", "memory_gb", "partition", "time_limit", "slurm"})),
}
ORDER = tuple(each.name for each in fields(EngineChoice) if each.name != "folder")
