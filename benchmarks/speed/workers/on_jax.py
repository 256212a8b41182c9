"""Device, memory and a matrix product, by JAX itself."""

from collections.abc import Callable

import jax


def library() -> dict[str, str]:
    """The version of JAX."""
    return {"jax": jax.__version__}


def device_name() -> str:
    """The GPU's name, or "CPU"."""
    device = jax.devices()[0]
    return "CPU" if device.platform == "cpu" else str(device.device_kind)


def device_memory() -> int | None:
    """The most bytes that were in use on the GPU."""
    statistics = jax.devices()[0].memory_stats()
    return int(statistics["peak_bytes_in_use"]) if statistics else None


def multiplication(size: int, dtype: str, count: int) -> Callable[[], None]:
    """A call that multiplies two square matrices `count` times and waits for the result."""
    left, right = (jax.random.normal(jax.random.key(seed), (size, size)).astype(dtype) for seed in range(2))

    @jax.jit
    def multiply(left: jax.Array, right: jax.Array) -> jax.Array:
        product = left
        for _ in range(count):
            product = product @ right
        return product.astype("float32").sum()

    def wait() -> None:
        multiply(left, right).block_until_ready()

    return wait
