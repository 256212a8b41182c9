"""The TensorFlow engine: graphs or XLA on one device, MirroredStrategy on several."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.backend.contract import Engine, GradientTask, Kind, Variables
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.backend.policy import Policy
from zoo.backend.scopes import Scope, current_values
from zoo.backend.tensorflow_draws import Slices, global_draws
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.backend.traces.events import Event

Tensor = Any

# Dependency optimization moved a read of a variable behind the write that follows it, in 1 of 12 to 20 traces, so that
# a penalty saw the next step's weights. Steps are as fast without it.
tf.config.optimizer.set_experimental_options({"dependency_optimization": False})

SHARES = (
    "is assigned while a loss is computed: on several devices TensorFlow shows each its share of the batch, and their "
    "mean need not be what the variable holds. Assign it in the hook 'observe', which sees the whole batch; or train "
    "on one device, or on JAX"
)


class TensorFlowEngine(Engine):
    """Variables stay on the first device; several devices receive their values, and return gradients to be averaged.

    On several devices a layer sees its device's part of a batch: batch normalization takes that part's moments, and
    moving statistics are averaged.
    """

    name = "tensorflow"
    stock_normalizations = (  # tf.nn.moments stops a gradient that second-order gradients need
        keras.layers.BatchNormalization,
        keras.layers.LayerNormalization,
        keras.layers.GroupNormalization,
    )

    def __init__(self, options: EngineOptions = DEFAULT_ENGINE) -> None:
        super().__init__(options)
        if self.processes.count > 1:
            raise ZooError("Several processes train one run on JAX alone. Add --backend jax.")
        if options.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.strategy: Any = None
        if self.devices > 1:
            names = [each.name for each in logical_devices(self.kind, self.devices)]
            self.strategy = tf.distribute.MirroredStrategy(names)

    @property
    def kind(self) -> Kind:
        """`gpu` where TensorFlow sees one."""
        return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"

    def device_names(self) -> list[str]:
        """TensorFlow's names of the devices, for GPUs their model."""
        found = tf.config.list_logical_devices(self.kind.upper())[: self.devices]
        if self.kind == "cpu":
            return [each.name for each in found]
        physical = tf.config.list_physical_devices("GPU")
        details = [tf.config.experimental.get_device_details(each) for each in physical]
        return [each.get("device_name", "GPU") for each in details[: self.devices]]

    def memory(self) -> int | None:
        return None

    def player_gradients(
        self,
        compute: Callable[[], tuple[Tensor, tuple[Any, Any]]],
        task: GradientTask,
    ) -> tuple[tuple[Any, Any], list[Tensor], list[Tensor]]:
        """Weights and state, which the update will write, are read once, and what is written waits for these reads."""
        own = [*task.weights, *task.state]
        read = [tf.convert_to_tensor(variable.value) for variable in own]
        refusal = None if self.strategy is None else SHARES

        def of_one_device(read: list[Tensor]) -> tuple[tuple[Any, Any], list[Tensor], list[Tensor]]:
            watched = read[: len(task.weights)]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(watched)
                values = zip(own, read, strict=True)
                with self.hook_scope(task.permitted, task.declared, values, refusal) as scope:
                    loss, extras = compute()
            gradients = tape.gradient(loss, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            dense = [
                tf.convert_to_tensor(each) for each in gradients
            ]  # an embedding's gradient is a list of rows, some of them repeated
            return extras, dense, current_values(scope, task.state)

        if self.strategy is None:
            made = of_one_device(read)
        else:
            with global_draws(Slices(self.replica, self.share(task.batch_size), self.devices)):
                (scalars, batches), *others = self.strategy.run(of_one_device, args=(read,))
            scalars, *others = tf.nest.map_structure(self.averaged, [scalars, *others])
            made = ((scalars, tf.nest.map_structure(self.gathered, batches)), *others)
        with tf.control_dependencies(read):  # the writes of the update wait for every read
            extras, gradients, written = tf.nest.map_structure(tf.identity, made)
        return extras, gradients, written

    def gathered(self, values: Any) -> Tensor:
        """The devices' shares of a batch, one after the other; a scalar's mean."""
        parts = self.strategy.experimental_local_results(values)
        return tf.concat(parts, axis=0) if parts[0].shape.rank else self.averaged(values)

    def averaged(self, values: Any) -> Tensor:
        """The mean over devices; for other dtypes than floats the first device's value."""
        if self.strategy.experimental_local_results(values)[0].dtype.is_floating:
            return self.strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None)
        return self.strategy.experimental_local_results(values)[0]

    def current_trace(self) -> Any:
        """The graph: a branch, a loop's body and a function each have one of their own."""
        return tf.compat.v1.get_default_graph()

    def input_gradients(self, function: Callable[[Any], Tensor], inputs: Any) -> Any:
        """Implemented by a nested GradientTape."""
        with Scope(), tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(function(inputs))
        return tape.gradient(total, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def replica(self) -> Tensor:
        """The index of the device that is being traced."""
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def share(self, count: int) -> int:
        """Samples of one device, since this engine divides the batch itself."""
        return super().share(count) // self.devices

    def shard(self, batch: Any) -> Any:
        """The slice that belongs to the device that is being traced."""
        if self.strategy is None:
            return batch
        index = self.replica()

        def part(tensor: Tensor) -> Tensor:
            share = self.share(tensor.shape[0])
            return tensor[index * share : (index + 1) * share]

        return tf.nest.map_structure(part, batch)

    def compiled(
        self, function: Callable[..., Any], policy: Policy, written: Variables = (), read: Variables = ()
    ) -> Callable[..., Any]:
        """Implemented by tf.function without autograph, which would hide a Python `if` on a tensor, an error on JAX."""
        if not policy.traced:
            return lambda *inputs: function(*tf.nest.map_structure(tf.convert_to_tensor, inputs))
        return tf.function(function, autograph=False, jit_compile=policy.xla or None)

    def outline(self, function: Callable[..., Any], inputs: Any, written: Variables, read: Variables) -> None:
        """By a graph that is thrown away."""
        specs = tf.nest.map_structure(lambda each: tf.TensorSpec(each.shape, each.dtype), inputs)
        tf.function(function, autograph=False).get_concrete_function(specs)

    def compiled_here(self, function: Callable[..., Any], read: Variables = ()) -> Callable[..., Any]:
        # partial: TensorFlow counts traces by a function's code, and would warn of the same code for many networks
        return tf.function(partial(function), autograph=False)

    def repeat(
        self, body: Callable[[Any], Tensor], inputs: Any, count: Tensor, written: Variables, width: int
    ) -> Tensor:
        """Implemented by tf.while_loop."""
        length = tf.nest.flatten(inputs)[0].shape[0]

        def one(index: Tensor, results: Tensor) -> tuple[Tensor, Tensor]:
            row = body(tf.nest.map_structure(lambda each: each[index], inputs))
            return index + 1, tf.tensor_scatter_nd_update(results, [[index]], [row])

        start = (tf.constant(0), tf.zeros((length, width), keras.config.floatx()))
        _, results = tf.while_loop(lambda index, _: index < count, one, start, parallel_iterations=1)
        return results

    def place(self, variables: Variables) -> None:
        """Does nothing: variables always are where compiled functions read them."""

    def traced(self, folder: Path) -> AbstractContextManager[None]:
        from zoo.backend.traces import tensorflow as trace

        return trace.trace(folder)

    def trace_events(self, folder: Path) -> list["Event"]:
        from zoo.backend.traces import tensorflow as trace

        return trace.events(folder)


def divide(count: int) -> None:
    """Divides the CPU into virtual devices, to test runs on several devices; has no effect where there is a GPU."""
    if tf.config.list_physical_devices("GPU"):
        return
    parts = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    except RuntimeError as error:  # TensorFlow has already computed something
        found = len(tf.config.list_logical_devices("CPU"))
        if found < count:
            raise ZooError(
                f"--devices {count}: TensorFlow has already computed on {found} of the CPU's. Start a new process."
            ) from error


def logical_devices(kind: Kind, count: int) -> list[Any]:
    """The first `count` devices of a kind; raises ZooError where there are fewer."""
    divide(count)
    found = tf.config.list_logical_devices(kind.upper())
    if len(found) < count:
        raise ZooError(f"--devices {count}: there are {len(found)} GPUs.")
    return found[:count]


ENGINE = TensorFlowEngine


def peak_device_memory() -> int | None:
    """The peak memory of any GPU in bytes; None where there is no GPU."""
    gpus = [device.name.partition("physical_device:")[2] for device in tf.config.list_physical_devices("GPU")]
    return max((int(tf.config.experimental.get_memory_info(each)["peak"]) for each in gpus), default=None)
