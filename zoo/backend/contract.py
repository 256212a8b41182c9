"""The contract between the trainer and a backend, which covers what TensorFlow and JAX do differently.

Functions are *traced*: called once with symbolic tensors, then run in compiled form. The trainer writes a step as
if it changed `keras.Variable`s one after the other; an engine turns it into a compiled function.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import keras
import numpy as np

from zoo.backend.options import EngineOptions
from zoo.backend.policy import Policy, policy_for
from zoo.backend.scopes import HookScope
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.backend.traces.events import Event

Tensor = Any
Kind = Literal["cpu", "gpu"]
Variables = Sequence[keras.Variable]


@dataclass(frozen=True)
class GradientTask:
    """By what a loss is differentiated, and what may be assigned while it is computed; all else is refused."""

    weights: Variables
    state: Variables
    """Of which the new values are wanted."""
    batch_size: int  # of all devices
    discarded: Variables = ()
    """Of which new values are lost."""
    declared: Mapping[str, keras.Variable] = field(default_factory=dict)
    """Those of the state that plugins have declared, by name."""

    @property
    def permitted(self) -> list[keras.Variable]:
        """All that may be assigned."""
        return [*self.state, *self.discarded]


class Engine(ABC):
    """One backend, on the devices of one run and in one precision."""

    name: ClassVar[str]
    stock_normalizations: ClassVar[tuple[type, ...]] = ()
    """Keras layers whose second-order gradients are wrong on this backend."""

    def __init__(self, options: EngineOptions) -> None:
        self.precision = options.precision
        self.devices = options.devices
        self.deterministic = options.deterministic
        self.processes = options.processes

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """The kind of the run's devices."""

    @abstractmethod
    def device_names(self) -> list[str]:
        """The names of the run's devices, for reports."""

    @abstractmethod
    def memory(self) -> int | None:
        """The memory of one device in bytes; None where the backend does not say."""

    @abstractmethod
    def player_gradients(
        self,
        compute: Callable[[], tuple[Tensor, tuple[Any, Any]]],
        task: GradientTask,
    ) -> tuple[tuple[Any, Any], list[Tensor], list[Tensor]]:
        """What `compute` returns beside its scalar loss, the gradient by each weight, and the new values of state.

        Nothing is written: what `compute` assigns is held back, and returned if it is the task's state. A gradient is
        zero where the loss does not depend on the weight. `compute` returns (loss, (scalars, tensors with the batch as
        their first axis)). On several devices each computes its share of the batch; losses, scalars and gradients are
        averaged, batches joined. Assigning a declared variable is a RuntimeError where the average over devices would
        not be what it means.
        """

    @abstractmethod
    def current_trace(self) -> Any:
        """What is being traced now; equal as long as a value that is made can be used."""

    def hook_scope(
        self,
        permitted: Variables,
        declared: Mapping[str, keras.Variable],
        values: Iterable[tuple[keras.Variable, Tensor]] = (),
        refusal: str | None = None,
    ) -> HookScope:
        """A scope in which hooks may assign the permitted variables, where what they assign can be kept."""
        return HookScope(values, permitted, declared, self.current_trace, refusal)

    @abstractmethod
    def outline(self, function: Callable[..., Any], inputs: Any, written: Variables, read: Variables) -> None:
        """Trace a function as `compiled` would, and forget it: what it finds out while it is traced is known then."""

    @abstractmethod
    def input_gradients(self, function: Callable[[Any], Tensor], inputs: Any) -> Any:
        """The gradient of sum(function(inputs)) by inputs, differentiable again; writes are discarded.

        The inputs are a tensor, or a list or dict of tensors.
        """

    def share(self, count: int) -> int:
        """How many samples of a global batch `compute` sees: all, where the backend divides it itself.

        Raises ZooError where the batch can't be divided equally among the devices.
        """
        devices = self.devices * self.processes.count
        if count % devices:
            raise ZooError(
                f"A batch of {count} can't be divided over {devices} devices: --set batch_size="
                f"{-(-count // devices) * devices}, or another number of --devices."
            )
        return count

    @abstractmethod
    def shard(self, batch: Any) -> Any:
        """This device's part of each tensor of a global batch; all of it where the backend divides it itself."""

    @abstractmethod
    def compiled(
        self, function: Callable[..., Any], policy: Policy, written: Variables = (), read: Variables = ()
    ) -> Callable[..., Any]:
        """The compiled function, which may write the variables `written` alone, and read these and `read` alone."""

    @abstractmethod
    def compiled_here(self, function: Callable[..., Any], read: Variables = ()) -> Callable[..., Any]:
        """A function that writes no variables, compiled for this process' first device alone: to draw samples."""

    @abstractmethod
    def repeat(
        self, body: Callable[[Any], Tensor], inputs: Any, count: Tensor, written: Variables, width: int
    ) -> Tensor:
        """Calls `body` with each of the first `count` inputs, one after the other on the device, in a traced function.

        Every tensor of `inputs` has the repetitions as its first axis, (K, ...), K >= count; `body` returns (width,).
        Returns (K, width), zeros from `count` on.
        """

    @abstractmethod
    def place(self, variables: Variables) -> None:
        """Moves values that were set from the host to the devices where compiled functions read them."""

    @abstractmethod
    def traced(self, folder: Path) -> AbstractContextManager[None]:
        """A context in which the backend's profiler records a trace into the folder."""

    @abstractmethod
    def trace_events(self, folder: Path) -> list["Event"]:
        """The events of the last trace in the folder."""

    def agreed(self, values: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Process 0's values, returned in every process; shapes must be the same in all."""
        return values

    def any_process(self, stop_request: bool) -> bool:
        """Whether any of the processes has a request to stop."""
        return stop_request

    def together(self) -> AbstractContextManager[None]:
        """A context for all that needs every process; raises ZooError where another process has ended."""
        return nullcontext()

    def policy(self, convolutions: bool) -> Policy:
        """How this engine compiles the step of a stack with or without convolutions, and where it keeps the data."""
        return policy_for(self.name, self.kind, convolutions, self.precision, self.devices * self.processes.count)

    @contextmanager
    def building(self) -> Iterator[None]:
        """A context in which layers are built to compute in the engine's precision, with float32 weights."""
        if self.precision == "float32":
            yield
            return
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)
