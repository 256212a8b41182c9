"""JAX' settings that change numbers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax

STANDARD = {
    "jax_enable_x64": False,
    "jax_default_matmul_precision": None,
    "jax_numpy_dtype_promotion": "standard",
    "jax_numpy_rank_promotion": "allow",
    "jax_default_prng_impl": "threefry2x32",
    "jax_threefry_partitionable": True,
    "jax_disable_jit": False,
}


def settings() -> list[tuple[str, Any, Callable[[], Any], Callable[[Any], Any]]]:
    """(name, standard value, how it is read, how it is set) of each that this version of JAX has."""
    return [
        (f"jax.config.{name}", standard, partial(found, name), partial(jax.config.update, name))
        for name, standard in STANDARD.items()
        if hasattr(jax.config, name)
    ]


def found(name: str) -> Any:
    """An option's value here, where a context of this thread may have set it."""
    value = getattr(jax.config, name)
    return getattr(value, "value", value)


def problem() -> str:
    """Nothing is refused."""
    return ""


def threads() -> int:
    """0: as many as there are cores."""
    return 0


def computes_by_onednn() -> bool | None:
    """XLA does not say."""
    return None
