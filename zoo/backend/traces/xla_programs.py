"""Looks up what XLA's operations, such as `fusion.7`, compute: the trace holds the compiled programs.

https://github.com/openxla/xla/blob/main/xla/service/hlo.proto
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from zoo.backend.traces.protobuf import Message, message

PROGRAM, COMPUTATIONS, INSTRUCTIONS = 1, 3, 2  # HloProto.hlo_module, HloModuleProto.computations, their instructions
NAME, COMPUTATION_ID = 1, 5
OPCODE, SHAPE, METADATA, WINDOW, CONVOLUTION, TARGET, CALLED = 2, 3, 7, 15, 16, 28, 38  # fields of HloInstructionProto
SCOPE = 2  # OpMetadata.op_name
SIZES, OUTPUT_SPATIAL = 3, 12  # ShapeProto.dimensions, ConvolutionDimensionNumbers.output_spatial_dimensions
WINDOW_AXES, WINDOW_SIZE = 1, 1  # Window.dimensions, WindowDimension.size
WIDE_WINDOW = (
    "wide-window"  # marks a convolution whose window is larger than its result, as in a gradient by the kernel
)


class Operation(NamedTuple):
    """What an operation computes, and the scope that it was traced in."""

    computes: str = ""
    """Name and opcode, for a fusion also those of its instructions."""
    scope: str = ""
    """`jit(step)/transpose(jvp())/conv_general_dilated`; the computation's name for operations that XLA added."""


Program = tuple[str, Mapping[str, Operation]]  # (name and number such as `jit_step(16)`, operations by name)


def fitting_program(
    name: str, number: str, operations: Set[str], programs: Sequence[Program]
) -> Mapping[str, Operation]:
    """The operations of the program of that name that has these `operations`; of several the one of that number, or the
    smallest.

    The number alone is ambiguous: a program from a compilation cache keeps the number that it was compiled with.
    """

    def fit(program: Program) -> tuple[int, bool, int]:
        return len(operations & program[1].keys()), program[0] == f"{name}({number})", -len(program[1])

    named = (program for program in programs if program[0].rpartition("(")[0] == name)
    return max(named, key=fit, default=("", {}))[1]


def program_operations(program: memoryview) -> dict[str, Operation]:
    """The operations of a serialized HloProto by name."""
    module = next(message(program).messages(PROGRAM), Message())
    computations = {each.integers.get(COMPUTATION_ID, 0): each for each in module.messages(COMPUTATIONS)}
    operations: dict[str, Operation] = {}
    for computation in computations.values():
        for instruction in computation.messages(INSTRUCTIONS):
            words = [*described(instruction), *fused(instruction, computations)]
            scope = next((each.text(SCOPE) for each in instruction.messages(METADATA)), "") or computation.text(NAME)
            operations[instruction.text(NAME)] = Operation(" ".join(words), scope)
    return operations


def described(instruction: Message) -> Iterator[str]:
    """Yields the names that say what an instruction computes."""
    yield from filter(None, map(instruction.text, (NAME, OPCODE, TARGET)))
    if any(
        window > output for window, output in zip(window_sizes(instruction), output_sizes(instruction), strict=True)
    ):
        yield WIDE_WINDOW


def window_sizes(instruction: Message) -> list[int]:
    """The sizes of a convolution's window along its spatial axes; [] for other instructions."""
    windows = instruction.messages(WINDOW) if CONVOLUTION in instruction.parts else ()
    return [axis.integers.get(WINDOW_SIZE, 0) for window in windows for axis in window.messages(WINDOW_AXES)]


def output_sizes(instruction: Message) -> list[int]:
    """The sizes of a convolution's result along its spatial axes; [] for other instructions."""
    numbers = (axis for each in instruction.messages(CONVOLUTION) for axis in each.packed(OUTPUT_SPATIAL))
    sizes = [size for shape in instruction.messages(SHAPE) for size in shape.packed(SIZES)]
    return [sizes[axis] for axis in numbers]


def fused(instruction: Message, computations: Mapping[int, Message]) -> Iterator[str]:
    """Yields the names of a fusion's instructions; those of loops and calls have events of their own."""
    if instruction.text(OPCODE) == "fusion":
        for identifier in instruction.packed(CALLED):
            for each in computations[identifier].messages(INSTRUCTIONS):
                yield from described(each)
