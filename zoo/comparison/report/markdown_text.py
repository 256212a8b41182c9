"""Tables, code and plain text as Markdown; nothing that is shown is read as markup."""

import re
from collections.abc import Sequence

SPECIAL = re.compile(r"([\\`*<\[\]|])|(?<!\w)(_)|(_)(?!\w)|^([#>+-])")


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2) -> str:
    """A Markdown table, its columns after the first few to the right."""
    rule = ["---" if number < left else "---:" for number in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *rows])


def code(text: str) -> str:
    """A name as code, in which nothing but a backtick and a table's bar means anything."""
    flat = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    padding = " " if "`" in flat else ""
    return f"{fence}{padding}{flat}{padding}{fence}"


def escaped(text: object) -> str:
    """Text on one line that Markdown shows as it is."""
    flat = " ".join(str(text).split())
    return SPECIAL.sub(lambda found: f"\\{found[0]}", flat)
