"""What in a process changes numbers beside a run's own options: fixed while the zoo computes, refused, or recorded.

`fixed()` gives Keras, the backend, NumPy and C's decimals their standard settings, and restores the program's own.
What libraries read from the environment once, when they are loaded, can't be changed by us: `refused_variables` says
what contradicts a recorded precision, `recorded_variables` what only rounds otherwise and is written into run.yaml.
This module imports neither Keras nor a backend before it is used.
"""

import importlib
import locale
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from zoo.backend.settings.variables import recorded_variables, refused_variables
from zoo.errors import ZooError


@dataclass(frozen=True)
class Setting:
    """One setting of the process, by the name under which a user finds it."""

    name: str
    standard: Any
    read: Callable[[], Any]
    write: Callable[[Any], Any]


def settings() -> list[Setting]:
    """Every setting that is fixed, on the backend that Keras runs on."""
    return [*of_keras(), *(Setting(*each) for each in of_backend().settings()), *of_numpy(), DECIMALS]


def of_backend() -> Any:
    """The module about the backend that Keras runs on, which is imported."""
    from zoo import backend

    return importlib.import_module(f"zoo.backend.settings.{backend.running()}")


def of_keras() -> list[Setting]:
    """What keras.json or a notebook may have set."""
    from keras import config, distribution

    return [  # the policy after the type that it follows
        Setting("keras.config.floatx", "float32", config.floatx, config.set_floatx),
        Setting("keras.config.dtype_policy", "float32", policy, config.set_dtype_policy),
        Setting("keras.config.epsilon", 1e-7, config.epsilon, config.set_epsilon),
        Setting(
            "keras.config.image_data_format", "channels_last", config.image_data_format, config.set_image_data_format
        ),
        Setting("keras.distribution.distribution", None, distribution.distribution, distribution.set_distribution),
    ]


def policy() -> Any:
    """Keras' dtype policy: its name where that says all, so that it compares; else the policy itself."""
    from keras import config

    found = config.dtype_policy()
    return found.name if type(found).__name__ == "DTypePolicy" else found


def of_numpy() -> list[Setting]:
    """What NumPy does about an overflow or a division by zero."""
    import numpy as np

    standard = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
    return [Setting("numpy.seterr", standard, np.geterr, lambda value: np.seterr(**value))]


def decimals() -> str:
    """The locale of decimal numbers in C, in which 1,5 may be a number and 1.5 none."""
    return locale.setlocale(locale.LC_NUMERIC)


DECIMALS = Setting("locale.LC_NUMERIC", "C", decimals, lambda value: locale.setlocale(locale.LC_NUMERIC, value))


@contextmanager
def fixed() -> Iterator[None]:
    """A context, or a decorator, in which every setting is the standard one; afterwards they are as they were.

    Raises ZooError where one can't be changed.
    """
    if problem := of_backend().problem():
        raise ZooError(problem)
    changed: list[tuple[Setting, Any]] = []
    try:
        for each in settings():
            before = each.read()
            if before == each.standard:
                continue
            each.write(each.standard)
            changed.append((each, before))
            if each.read() != each.standard:
                raise ZooError(
                    f"{each.name} is {shown(before)} here and can't be changed, but changes what a run computes. Call "
                    "the zoo outside of the context that sets it."
                )
        yield
    finally:
        for each, before in reversed(changed):
            each.write(before)


def differing() -> dict[str, str]:
    """The settings that are not the standard ones here, for `zoo doctor`: name to `float64 (runs compute with ...)`."""
    return {
        each.name: f"{shown(found)} (fixed to {shown(each.standard)} while a run computes)"
        for each in settings()
        if (found := each.read()) != each.standard
    }


def shown(value: Any) -> str:
    """A setting's value as text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return "none" if value in (None, "") else str(value)


def check_environment(backend: str) -> None:
    """Raises ZooError where an environment variable makes libraries compute otherwise than run.yaml would say."""
    if found := refused_variables(os.environ, backend):
        raise ZooError(found[0])


def recorded(kind: str) -> dict[str, Any]:
    """What else a run's digits depend on, for run.yaml: variables that are set, on a CPU oneDNN and threads too.

    Sums are divided among threads, so that other threads round otherwise, on either backend.
    """
    from zoo import backend

    found = {"environment": recorded_variables(os.environ, backend.running())}
    if kind != "cpu":
        return found
    onednn = of_backend().computes_by_onednn()
    return {**found, "threads": of_backend().threads() or cores(), **({} if onednn is None else {"onednn": onednn})}


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
