"""The JAX engine: XLA compiles everything, and shards a batch over all devices of all processes."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.experimental import multihost_utils
from jax.extend.core import get_opaque_trace_state
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from zoo import backend
from zoo.backend.contract import Engine, GradientTask, Kind, Variables
from zoo.backend.jax_convolutions import COMPILER_OPTIONS, fast_convolutions
from zoo.backend.keras_internals import get_stateless_scope, put_value, without_tensorflow
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions, Processes
from zoo.backend.policy import Policy
from zoo.backend.scopes import Scope, current_values
from zoo.base.weights import platform_cache
from zoo.errors import ZooError

without_tensorflow()

if TYPE_CHECKING:
    from zoo.backend.traces.events import Event

Tensor = Any
LOST = 30  # seconds without a heartbeat after which a process counts as dead
BROKEN = re.compile(
    r"(UNKNOWN|UNAVAILABLE|INTERNAL|ABORTED|CANCELLED|DEADLINE_EXCEEDED|FAILED_PRECONDITION)\b"
)  # the status codes at the beginning of errors about lost processes
BATCH = "batch"  # the name of the mesh axis
CACHE = "JAX_COMPILATION_CACHE_DIR"
# The first alone gave other bits in two processes on an H200 (JAX 0.11.2); the last lets no timings choose kernels.
DETERMINISTIC = (
    "--xla_gpu_deterministic_ops=true",
    "--xla_gpu_exclude_nondeterministic_ops=true",
    "--xla_gpu_autotune_level=0",
)


class ProcessLost(ZooError):
    """Raised where another process of the run has ended; not a mistake in this one's command."""

    exit_code = 1


class JaxEngine(Engine):
    """Every device holds all variables; XLA divides the computation of a batch, and reduces over devices where needed.

    A layer therefore sees the whole batch, however many devices compute it, and batch normalization takes its moments.
    """

    name = "jax"

    def __init__(self, options: EngineOptions = DEFAULT_ENGINE) -> None:
        super().__init__(options)
        if options.deterministic:
            os.environ["XLA_FLAGS"] = with_deterministic(os.environ.get("XLA_FLAGS", ""))
        keep_compilations()
        if self.processes.count > 1:
            join(self.processes)
        self.local_devices = self.chosen_devices()
        self.mesh: Mesh | None = None
        if self.devices * self.processes.count > 1:
            self.mesh = Mesh(np.array(self.every_process(self.local_devices)), (BATCH,))
        with self.together(), backend.silenced(backend.STDOUT):  # Gloo would print that processes are connected
            self.any_process(False)
        self.compiler_options = known_options(COMPILER_OPTIONS) if self.kind == "cpu" else {}

    def chosen_devices(self) -> list[Any]:
        """The first `self.devices` devices of this process; raises ZooError where there are fewer."""
        if self.devices > 1:
            divide(self.devices)
        found = jax.local_devices()
        if len(found) < self.devices:
            raise ZooError(f"--devices {self.devices}: there are {len(found)} GPUs.")
        return found[: self.devices]

    def every_process(self, local: list[Any]) -> list[Any]:
        """The same number of devices of every process, ordered by process."""
        if self.processes.count == 1:
            return local
        count = len(local)
        every = sorted(jax.devices(), key=lambda each: (each.process_index, each.id))
        return [
            each
            for process in range(self.processes.count)
            for each in [one for one in every if one.process_index == process][:count]
        ]

    @property
    def kind(self) -> Kind:
        """The kind of JAX' default devices."""
        return "cpu" if jax.default_backend() == "cpu" else "gpu"

    def device_names(self) -> list[str]:
        """JAX' names of the devices, for GPUs their model."""
        return [str(each) if self.kind == "cpu" else each.device_kind for each in self.local_devices]

    def memory(self) -> int | None:
        """The bytes of the device that XLA may use."""
        found = self.local_devices[0].memory_stats() or {}
        return found.get("bytes_limit")

    def player_gradients(
        self,
        compute: Callable[[], tuple[Tensor, tuple[Any, Any]]],
        task: GradientTask,
    ) -> tuple[tuple[Any, Any], list[Tensor], list[Tensor]]:
        """By jax.grad of a function of the weights' values; XLA divides the batch, so that each hook sees all of it."""

        def loss(values: list[Tensor]) -> tuple[Tensor, tuple[tuple[Any, Any], list[Tensor]]]:
            with self.hook_scope(task.permitted, task.declared, zip(task.weights, values, strict=True)) as scope:
                total, extras = compute()
            return total, (extras, current_values(scope, task.state))

        gradients, (extras, written) = jax.grad(loss, has_aux=True)([weight.value for weight in task.weights])
        return extras, gradients, written

    def outline(self, function: Callable[..., Any], inputs: Any, written: Variables, read: Variables) -> None:
        """By an abstract evaluation."""

        def pure(values: list[Tensor], inputs: Any) -> Any:
            with keras.StatelessScope(state_mapping=zip([*written, *read], values, strict=True)):
                return function(inputs)

        jax.eval_shape(pure, [each.value for each in (*written, *read)], inputs)

    def current_trace(self) -> Any:
        """JAX' trace: a branch, a loop's body and a function each have one of their own."""
        return get_opaque_trace_state()

    def input_gradients(self, function: Callable[[Any], Tensor], inputs: Any) -> Any:
        """Implemented by jax.grad in a scope of its own, since values written inside are tracers that would leak."""

        def total(inputs: Any) -> Tensor:
            with Scope():
                return jnp.sum(function(inputs))

        return jax.grad(total)(inputs)

    def shard(self, batch: Any) -> Any:
        """The whole batch, with the constraint that XLA divides it over the devices."""
        if self.mesh is None:
            return batch
        divided = NamedSharding(self.mesh, PartitionSpec(BATCH))
        return jax.tree.map(lambda each: lax.with_sharding_constraint(each, divided), batch)

    def compiled(
        self, function: Callable[..., Any], policy: Policy, written: Variables = (), read: Variables = ()
    ) -> Callable[..., Any]:
        """Implemented by a jitted pure function of the variables' values, which returns the new values of `written`."""

        def pure(values: list[Tensor], constants: list[Tensor], *arguments: Any) -> tuple[Any, list[Tensor]]:
            mapping = zip([*written, *read], [*values, *constants], strict=True)
            with keras.StatelessScope(state_mapping=mapping) as scope, fast_convolutions(self.kind == "cpu"):
                result = function(*arguments)
            return result, current_values(scope, written)

        pure.__name__ = getattr(function, "__name__", "step")  # the name of the program in profiles
        # A result that stays sharded could be neither read by `state` nor passed to the next call.
        whole = self.mesh and NamedSharding(self.mesh, PartitionSpec())
        jitted = jax.jit(pure, donate_argnums=0, out_shardings=whole, compiler_options=self.compiler_options)

        def call(*arguments: Any) -> Any:
            values, constants = ([each.value for each in variables] for variables in (written, read))
            result, values = jitted(values, constants, *self.everywhere(arguments))
            for variable, value in zip(written, values, strict=True):
                put_value(variable, value)
            return result

        return call

    def compiled_here(self, function: Callable[..., Any], read: Variables = ()) -> Callable[..., Any]:
        """Implemented with this process' own copies of the values, so that no other process need take part."""

        @jax.jit
        def pure(constants: list[Tensor], *arguments: Any) -> Any:
            with keras.StatelessScope(state_mapping=zip(read, constants, strict=True)):
                return function(*arguments)

        def call(*arguments: Any) -> Any:
            return pure([each.value.addressable_data(0) for each in read], *arguments)

        return call

    def everywhere(self, values: Any) -> Any:
        """Host values, which are equal in all processes, replicated on all devices."""
        if self.mesh is None:
            return values
        whole = NamedSharding(self.mesh, PartitionSpec())

        def put(value: Any) -> Any:
            if isinstance(value, jax.Array) and value.sharding == whole:
                return value
            array = np.asarray(value)
            return jax.make_array_from_callback(array.shape, whole, lambda index: array[index])

        return jax.tree.map(put, values)

    def repeat(
        self, body: Callable[[Any], Tensor], inputs: Any, count: Tensor, written: Variables, width: int
    ) -> Tensor:
        """Implemented by lax.fori_loop, which carries the values of the variables."""
        length = jax.tree.leaves(inputs)[0].shape[0]

        def one(index: Tensor, carried: tuple[list[Tensor], Tensor]) -> tuple[list[Tensor], Tensor]:
            values, results = carried
            with Scope(zip(written, values, strict=True)) as scope:
                row = body(jax.tree.map(lambda each: lax.dynamic_index_in_dim(each, index, keepdims=False), inputs))
            return current_values(scope, written), lax.dynamic_update_index_in_dim(results, row, index, 0)

        results = jnp.zeros((length, width), keras.config.floatx())
        values, results = lax.fori_loop(0, count, one, ([each.value for each in written], results))
        scope = get_stateless_scope()
        for variable, value in zip(written, values, strict=True):
            scope.add_update((variable, value))
        return results

    def place(self, variables: Variables) -> None:
        """Replicates all values on every device."""
        for variable in variables:
            put_value(variable, self.everywhere(variable.value))

    def agreed(self, values: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Implemented by a broadcast of bytes: JAX would round doubles, and flush denormal floats to zero."""
        if self.processes.count == 1:
            return values
        packed = {name: np.frombuffer(value.tobytes(), np.uint8) for name, value in values.items()}
        agreed = multihost_utils.broadcast_one_to_all(packed)
        return {name: agreed[name].view(value.dtype).reshape(value.shape) for name, value in values.items()}

    def any_process(self, stop_request: bool) -> bool:
        """Implemented by gathering the flags of all processes."""
        if self.processes.count == 1:
            return stop_request
        return bool(multihost_utils.process_allgather(np.array(stop_request)).any())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Raises ProcessLost where a computation fails because another process has ended."""
        try:
            yield
        except (jax.errors.JaxRuntimeError, ValueError) as error:  # JAX raises either for a broken connection
            if self.processes.count == 1 or not BROKEN.match(str(error)):
                raise
            raise ProcessLost(
                f"The {self.processes.count} processes can't go on together, probably because another one ended: see "
                "what it said, and repeat all commands to continue from the last checkpoint. "
                f"({str(error).splitlines()[0]})"
            ) from error

    def traced(self, folder: Path) -> AbstractContextManager[None]:
        from zoo.backend.traces import jax as trace

        return trace.trace(folder)

    def trace_events(self, folder: Path) -> list["Event"]:
        from zoo.backend.traces import jax as trace

        return trace.events(folder)


def with_deterministic(flags: str) -> str:
    """XLA's flags with those that make it deterministic, each of them once."""
    given = flags.split()
    return " ".join([*given, *(flag for flag in DETERMINISTIC if flag not in given)])


def join(processes: Processes) -> None:
    """Connects this process with the others; raises ZooError where it can't reach the coordinator."""
    if jax.distributed.is_initialized():
        return
    jax.config.update("jax_enable_preemption_service", False)  # the preemption service would swallow SIGTERM
    try:
        jax.distributed.initialize(
            processes.coordinator, processes.count, processes.index, heartbeat_timeout_seconds=LOST
        )
    except (RuntimeError, ValueError) as error:
        raise ZooError(
            f"Process {processes.index} of {processes.count} does not get to the others by --coordinator "
            f"{processes.coordinator}: {str(error).splitlines()[0]}"
        ) from error


def divide(count: int) -> None:
    """Divides the CPU into virtual devices, to test runs on several devices; has no effect on GPUs."""
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError as error:  # JAX has already computed something
        found = len(jax.local_devices())
        if jax.default_backend() == "cpu" and found < count:
            raise ZooError(
                f"--devices {count}: JAX has already computed on {found} of the CPU's. Start a new process."
            ) from error


def known_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options if this version of XLA knows them, else {}: they affect speed alone."""
    try:
        jax.jit(lambda: 0, compiler_options=options)()
    except jax.errors.JaxRuntimeError:
        return {}
    return options


def keep_compilations() -> None:
    """Sets a folder in which later processes find compiled programs, unless the user has set one."""
    if CACHE in os.environ:
        return
    jax.config.update("jax_compilation_cache_dir", str(platform_cache() / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


ENGINE = JaxEngine


def peak_device_memory() -> int | None:
    """The peak memory of any local device in bytes; None where no device says."""
    peaks = [(device.memory_stats() or {}).get("peak_bytes_in_use") for device in jax.local_devices()]
    return max((each for each in peaks if each is not None), default=None)
