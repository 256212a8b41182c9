"""The summary as text: at most 24 lines of at most 100 characters."""

from collections.abc import Sequence

from zoo.profiling.kinds import OTHER
from zoo.profiling.phases import EVERYTHING_ELSE
from zoo.profiling.summary import Part, Summary

MOST_LINES, OTHER_LINES = 24, 5  # lines of the text, and how many of them are headings and busy threads
MOST_PHASES, MOST_THREADS = 6, 4  # phases and threads that are listed, at most
NAME_WIDTH, LABEL_WIDTH, THREAD_WIDTH = 36, 76, 16  # characters


def shown(summary: Summary) -> str:
    """The summary's phases, kinds of operations, busy threads and slowest operations as lines of text."""
    phases = largest(summary.phases, MOST_PHASES, EVERYTHING_ELSE)
    kinds = largest(summary.kinds, MOST_LINES - OTHER_LINES - len(phases) - len(summary.slowest), OTHER)
    lines = [
        f"{summary.milliseconds:.1f} ms a step while {summary.steps} steps were traced, "
        f"{summary.unprofiled_milliseconds:.1f} ms untraced",
        f"{'phases':<{NAME_WIDTH + 2}}{'ms/step':>9}{'share':>8}",
        *(row(part, NAME_WIDTH) for part in phases),
        f"{'operations, summed over threads':<{NAME_WIDTH + 2}}{'ms/step':>9}{'share':>8}{'count':>9}",
        *(f"{row(part, NAME_WIDTH)}{part.count:>9.1f}" for part in kinds),
        f"busy: {busy_threads(summary)}",
        *(["slowest operations"] if summary.slowest else []),
        *(row(part, LABEL_WIDTH) for part in summary.slowest),
    ]
    return "\n".join(lines)


def row(part: Part, width: int) -> str:
    """A line for a part; a long name loses its beginning."""
    name = part.name if len(part.name) <= width else f"…{part.name[1 - width :]}"
    return f"  {name:<{width}}{part.milliseconds:>9.2f}{part.share:>8.1%}"


def largest(parts: Sequence[Part], count: int, rest: str) -> list[Part]:
    """At most `count` parts: of more, the smallest are summed up in one called `rest`, with any of that name."""
    named = [part for part in parts if part.name != rest]
    kept = named if len(parts) <= count else named[: count - 1]
    others = [part for part in parts if part not in kept]
    if not others:
        return kept
    sums = (sum(getattr(each, name) for each in others) for name in ("milliseconds", "share", "count"))
    return [*kept, Part(rest, *sums)]


def busy_threads(summary: Summary) -> str:
    """`tf_Compute 93%, main 12% and 3 less busy`."""
    if not summary.threads:
        return "no operation was recorded"
    shown = [
        f"{name.partition(' ')[2].partition('/')[0][:THREAD_WIDTH]} {fraction:.0%}"
        for name, fraction in list(summary.threads.items())[:MOST_THREADS]
    ]
    more = len(summary.threads) - len(shown)
    return ", ".join(shown) + (f" and {more} less busy" if more > 0 else "")
