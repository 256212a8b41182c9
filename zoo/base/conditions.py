"""What a user types of a generator's inputs: `code=0,1,0`."""

from typing import Any

from zoo.errors import ZooError


def parsed_condition(text: str) -> tuple[str, Any]:
    """`code=0,1,0` as a name and its numbers."""
    name, equals, values = text.partition("=")
    try:
        numbers = [float(each) for each in values.split(",")]
    except ValueError:
        numbers = []
    if not (name.strip() and equals and numbers):
        raise ZooError(f"A condition is INPUT=VALUES, such as --condition code=0,1,0; received '{text}'.")
    return name.strip(), numbers[0] if len(numbers) == 1 else numbers
