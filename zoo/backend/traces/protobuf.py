"""Reads protocol buffers without their schema: messages as the numbers and values of their fields.

https://protobuf.dev/programming-guides/encoding
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5  # wire types of a field's value
FIXED = {EIGHT_BYTES: 8, FOUR_BYTES: 4}  # bytes of the values of fixed length


@dataclass(frozen=True)
class Message:
    """The fields of a message by number, without floats."""

    integers: dict[int, int] = field(default_factory=dict)
    """The last integer of each field."""
    parts: dict[int, list[memoryview]] = field(default_factory=dict)
    """All texts, bytes, messages and packed integers of each field."""

    def text(self, number: int) -> str:
        """The last value of a field as text; "" where it is missing."""
        return str(self.parts[number][-1], "utf-8", "replace") if number in self.parts else ""

    def messages(self, number: int) -> "Iterator[Message]":
        """The messages in a repeated field."""
        return (message(part) for part in self.parts.get(number, ()))

    def packed(self, number: int) -> Iterator[int]:
        """The integers in a repeated field."""
        for part in self.parts.get(number, ()):
            position = 0
            while position < len(part):
                value, position = varint(part, position)
                yield value


def message(data: memoryview) -> Message:
    """Parses a message; raises ValueError where the bytes are none."""
    read = Message()
    position = 0
    while position < len(data):
        tag, position = varint(data, position)
        number, way = tag >> 3, tag & 7
        if way == VARINT:
            read.integers[number], position = varint(data, position)
        elif way == LENGTH:
            length, position = varint(data, position)
            read.parts.setdefault(number, []).append(data[position : position + length])
            position += length
        elif way in FIXED:
            position += FIXED[way]
        else:
            raise ValueError(f"Not a protocol buffer: field {number} is written in way {way}.")
    return read


def varint(data: memoryview, position: int) -> tuple[int, int]:
    """(value, end) of the varint at a position: seven bits a byte, the lowest first."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
