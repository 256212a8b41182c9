"""Device, memory and a matrix product, by TensorFlow itself."""

from collections.abc import Callable

import tensorflow as tf

GPU = "GPU:0"


def library() -> dict[str, str]:
    """The version of TensorFlow."""
    return {"tensorflow": tf.__version__}


def device_name() -> str:
    """The GPU's name, or "CPU"."""
    gpus = tf.config.list_physical_devices("GPU")
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")) if gpus else "CPU"


def device_memory() -> int | None:
    """The most bytes that were in use on the GPU."""
    if not tf.config.list_physical_devices("GPU"):
        return None
    return int(tf.config.experimental.get_memory_info(GPU)["peak"])


def multiplication(size: int, dtype: str, count: int) -> Callable[[], None]:
    """A call that multiplies two square matrices `count` times and waits for the result."""
    left, right = (tf.cast(tf.random.normal((size, size)), dtype) for _ in range(2))

    @tf.function
    def multiply() -> tf.Tensor:
        product = left
        for _ in range(count):
            product = tf.matmul(product, right)
        return tf.reduce_sum(tf.cast(product, tf.float32))

    def wait() -> None:
        multiply().numpy()

    return wait
