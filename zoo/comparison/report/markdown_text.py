"""Tables, code spans and escaped text in Markdown."""

import re
from collections.abc import Sequence

SPECIAL = re.compile(r"([\\`*<\[\]|])|(?<!\w)(_)|(_)(?!\w)|^([#>+-])")


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2) -> str:
    """A Markdown table, whose columns after the first `left` ones are aligned to the right."""
    rule = ["---" if number < left else "---:" for number in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *rows])


def code(text: str) -> str:
    """A name as a code span, in which backticks and the bars of tables are escaped."""
    flat = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    padding = " " if "`" in flat else ""
    return f"{fence}{padding}{flat}{padding}{fence}"


def escaped(text: object) -> str:
    """Text on one line, its Markdown markup escaped."""
    flat = " ".join(str(text).split())
    return SPECIAL.sub(lambda found: f"\\{found[0]}", flat)
