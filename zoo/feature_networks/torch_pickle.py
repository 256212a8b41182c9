"""Pickles as torch.save writes them, read by a stack machine that calls nothing which a file names.

`pickle.Unpickler` with a list of allowed classes would call those, build what they hold, and allocate what damaged
bytes ask for. The two dozen operations of protocol 2 that torch.save uses are few enough to be carried out here.
"""

import struct
from collections.abc import Callable
from typing import IO, Any, NamedTuple

from zoo.errors import ZooError

TENSORS = ("torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2")
PARAMETER = "torch._utils _rebuild_parameter"
DICTIONARY = "collections OrderedDict"
ELEMENTS = {  # the NumPy type of each kind of storage
    "torch DoubleStorage": "f8",
    "torch FloatStorage": "f4",
    "torch HalfStorage": "f2",
    "torch LongStorage": "i8",
    "torch IntStorage": "i4",
    "torch ShortStorage": "i2",
    "torch CharStorage": "i1",
    "torch ByteStorage": "u1",
    "torch BoolStorage": "?",
}
KNOWN = {*TENSORS, PARAMETER, DICTIONARY, *ELEMENTS}


class Named(NamedTuple):
    """A class or function that the file names, such as `torch FloatStorage`: its name, and nothing that can run."""

    name: str


class Storage(NamedTuple):
    """Where numbers lie: the key of the storage, what its elements are, and how many it says it has."""

    key: str
    elements: str
    length: int


class Stored(NamedTuple):
    """A tensor as it is described: part of a storage, everything counted in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Machine:
    """What carries out one pickle: a stack, the marks in it, and what was remembered."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def run(self) -> Any:
        """The object that the pickle describes; the file is left behind its end."""
        while (operation := self.file.read(1)) != b".":
            if operation not in OPERATIONS:
                raise ZooError(f"an operation {operation!r} that torch.save does not write" if operation else "its end")
            OPERATIONS[operation](self)
        return self.stack.pop()

    def number(self, form: str) -> Any:
        """The number that follows in the file; struct.error where it ends."""
        return struct.unpack(form, self.file.read(struct.calcsize(form)))[0]

    def text(self, form: str) -> str:
        """The text that follows in the file, behind its length."""
        count = self.number(form)
        found = self.file.read(count)
        if len(found) != count:
            raise ZooError("its end inside a text")
        return found.decode()

    def above_mark(self) -> list[Any]:
        """What lies above the last mark, taken off the stack."""
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def name(self) -> None:
        """Push a class that torch.save uses; any other ends the reading."""
        module, name = (self.file.readline().decode().rstrip("\n") for _ in range(2))
        if f"{module} {name}" not in KNOWN:
            raise ZooError(f"the class '{module}.{name}', which is not among those that hold tensors")
        self.stack.append(Named(f"{module} {name}"))

    def call(self) -> None:
        """Replace a name and its arguments by what torch would make of them."""
        arguments, named = self.stack.pop(), self.stack.pop()
        if named.name in TENSORS:
            storage, offset, shape, strides = arguments[:4]
            self.stack.append(Stored(storage, offset, shape, strides))
        elif named.name == PARAMETER:
            self.stack.append(arguments[0])
        elif named.name == DICTIONARY:  # Python 2 gave it a list of pairs
            self.stack.append({})
            self.fill([each for pair in (arguments[0] if arguments else []) for each in pair])
        else:
            raise ZooError(f"a call of '{named.name.replace(' ', '.')}'")

    def storage(self) -> None:
        """Replace the description of a storage: "storage", its class, key, device, count, and a view of it or none."""
        kind, named, key, _, length, *view = self.stack.pop()
        if kind != "storage" or not isinstance(key, str):
            raise ZooError("a reference to what is no storage")
        if view and view[0] is not None:
            raise ZooError("a storage that is part of another one, as torch 0.3 wrote them")
        self.stack.append(Storage(key, ELEMENTS[named.name], length))

    def fill(self, pairs: list[Any]) -> None:
        """Put keys and values, in turns, into the dictionary on top of the stack."""
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, str | int):
                raise ZooError("a key that is neither a text nor a number")
            self.stack[-1][key] = value

    def extend(self, items: list[Any]) -> None:
        """Put items at the end of the list on top of the stack."""
        if not isinstance(self.stack[-1], list):
            raise ZooError("items of what is no list")
        self.stack[-1].extend(items)

    def attribute(self) -> None:
        """Drop what else an object holds: of a state dict, the versions of its modules."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise ZooError("attributes of what is no dictionary")

    def pack(self, count: int) -> None:
        """Replace the last items by a tuple of them."""
        taken = tuple(self.stack.pop() for _ in range(count))
        self.stack.append(taken[::-1])

    def whole(self) -> int:
        """The whole number that follows in the file, behind its length in bytes."""
        return int.from_bytes(self.file.read(self.number("<B")), "little", signed=True)


def pushed(value: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    """An operation that puts a value on the stack."""
    return lambda machine: machine.stack.append(value(machine))


def remembered(form: str) -> Callable[[Machine], None]:
    """An operation that remembers what lies on top of the stack under the number that follows."""

    def remember(machine: Machine) -> None:
        machine.memory[machine.number(form)] = machine.stack[-1]

    return remember


OPERATIONS: dict[bytes, Callable[[Machine], Any]] = {  # by the codes of Python's pickletools
    b"\x80": lambda machine: machine.number("<B"),  # the protocol's number
    b"(": lambda machine: machine.marks.append(len(machine.stack)),
    b"}": pushed(lambda machine: {}),
    b"]": pushed(lambda machine: []),
    b")": pushed(lambda machine: ()),
    b"N": pushed(lambda machine: None),
    b"\x88": pushed(lambda machine: True),
    b"\x89": pushed(lambda machine: False),
    b"K": pushed(lambda machine: machine.number("<B")),
    b"M": pushed(lambda machine: machine.number("<H")),
    b"J": pushed(lambda machine: machine.number("<i")),
    b"\x8a": pushed(Machine.whole),
    b"G": pushed(lambda machine: machine.number(">d")),
    b"X": pushed(lambda machine: machine.text("<I")),
    b"U": pushed(lambda machine: machine.text("<B")),  # Python 2 wrote texts so
    b"T": pushed(lambda machine: machine.text("<i")),
    b"h": pushed(lambda machine: machine.memory[machine.number("<B")]),
    b"j": pushed(lambda machine: machine.memory[machine.number("<I")]),
    b"q": remembered("<B"),
    b"r": remembered("<I"),
    b"\x85": lambda machine: machine.pack(1),
    b"\x86": lambda machine: machine.pack(2),
    b"\x87": lambda machine: machine.pack(3),
    b"t": pushed(lambda machine: tuple(machine.above_mark())),
    b"a": lambda machine: machine.extend([machine.stack.pop()]),
    b"e": lambda machine: machine.extend(machine.above_mark()),
    b"s": lambda machine: machine.fill([machine.stack.pop(), machine.stack.pop()][::-1]),
    b"u": lambda machine: machine.fill(machine.above_mark()),
    b"c": Machine.name,
    b"R": Machine.call,
    b"Q": Machine.storage,
    b"b": Machine.attribute,
}
