"""Where an error says that a plugin's hook is."""

import re

PLACE = re.compile(r"(?<=') \((\w+)\.py, line (\d+)\)(?=: )")


def without_place(message: str) -> str:
    """The message, which must name a file and a line, without them."""
    assert PLACE.search(message), message
    return PLACE.sub("", message)
