"""What the operations of XLA's programs compute: `fusion.7` does not say it, the program in the trace does.

https://github.com/openxla/xla/blob/main/xla/service/hlo.proto
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from zoo.backend.traces.protobuf import Message, message

PROGRAM, COMPUTATIONS, INSTRUCTIONS = 1, 3, 2  # HloProto.hlo_module, HloModuleProto.computations, their instructions
NAME, COMPUTATION_ID = 1, 5
OPCODE, SHAPE, METADATA, WINDOW, CONVOLUTION, TARGET, CALLED = 2, 3, 7, 15, 16, 28, 38  # of HloInstructionProto
SCOPE = 2  # OpMetadata.op_name
SIZES, OUTPUT_SPATIAL = 3, 12  # ShapeProto.dimensions, ConvolutionDimensionNumbers.output_spatial_dimensions
WINDOW_AXES, WINDOW_SIZE = 1, 1  # Window.dimensions, WindowDimension.size
WIDE_WINDOW = "wide-window"  # a convolution by what is larger than its result, as a gradient by the kernel is


class Operation(NamedTuple):
    """What an operation computes, and for which part of the model."""

    computes: str = ""
    """Names and opcodes, of a fusion those of its instructions too."""
    scope: str = ""
    """Where it was traced: `jit(step)/transpose(jvp())/conv_general_dilated`; its computation where XLA made it."""


Program = tuple[str, Mapping[str, Operation]]  # its name and number, as `jit_step(16)`; its operations by name


def fitting_program(
    name: str, number: str, operations: Set[str], programs: Sequence[Program]
) -> Mapping[str, Operation]:
    """Of the programs of that name the one with these operations; of several the one of that number, or the smallest.

    The number alone does not tell: a program out of a compilation cache runs under the one that it was compiled with.
    """

    def fit(program: Program) -> tuple[int, bool, int]:
        return len(operations & program[1].keys()), program[0] == f"{name}({number})", -len(program[1])

    named = (program for program in programs if program[0].rpartition("(")[0] == name)
    return max(named, key=fit, default=("", {}))[1]


def program_operations(program: memoryview) -> dict[str, Operation]:
    """Every instruction of a serialized HloProto, by name."""
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
    """The texts that say what an instruction computes."""
    yield from filter(None, map(instruction.text, (NAME, OPCODE, TARGET)))
    if any(
        window > output for window, output in zip(window_sizes(instruction), output_sizes(instruction), strict=True)
    ):
        yield WIDE_WINDOW


def window_sizes(instruction: Message) -> list[int]:
    """Of a convolution: how many elements its window has along each spatial axis."""
    windows = instruction.messages(WINDOW) if CONVOLUTION in instruction.parts else ()
    return [axis.integers.get(WINDOW_SIZE, 0) for window in windows for axis in window.messages(WINDOW_AXES)]


def output_sizes(instruction: Message) -> list[int]:
    """Of a convolution: the size of its result along each spatial axis."""
    numbers = (axis for each in instruction.messages(CONVOLUTION) for axis in each.packed(OUTPUT_SPATIAL))
    sizes = [size for shape in instruction.messages(SHAPE) for size in shape.packed(SIZES)]
    return [sizes[axis] for axis in numbers]


def fused(instruction: Message, computations: Mapping[int, Message]) -> Iterator[str]:
    """The texts of all that a fusion computes in one go. What a loop or a call runs has events of its own."""
    if instruction.text(OPCODE) == "fusion":
        for identifier in instruction.packed(CALLED):
            for each in computations[identifier].messages(INSTRUCTIONS):
                yield from described(each)
