"""The one exception for a user's mistakes, and the sentence that every unknown name gets."""

from collections.abc import Iterable
from difflib import get_close_matches


class ZooError(Exception):
    """A mistake that the user can mend: says what was wrong, what there is, and how to mend it."""

    exit_code = 2  # of the command that it ends


class TrainingFailed(ZooError):
    """Training can't go on, through no mistake in the command."""

    exit_code = 1


class NoLabels(ZooError):
    """A stack needs labels, and the data has none; who knows the data adds from what labels could be read."""

    def __init__(self, who: str) -> None:
        super().__init__(
            f"{who} needs classes, and the dataset has none. Choose a labelled dataset, such as fashion_mini."
        )


class ZooWarning(UserWarning):
    """Something that does not stop a command but that its user should know, such as a broken third-party plugin."""


MOST_LISTED = 12  # names that a message lists
NEAR, FAR = 0.6, 0.3  # the likeness of what is suggested, and of what is listed beside it
CLOSEST = 5  # of more names, how many like the wrong one are listed
ALL_BY = {  # what shows all names of a kind, where there may be many
    "variant or plugin": "zoo list",
    "variant": "zoo list variants",
    "plugin": "zoo list plugins",
    "dataset": "zoo data list",
    "recipe field": "zoo show STACK",
    "metric": "zoo list metrics",
    "extractor": "zoo list extractors",
    "pretrained generator": "zoo list pretrained",
}


def unknown(kind: str, name: str, available: Iterable[str]) -> ZooError:
    """`Unknown variant: 'dcgna'. Did you mean 'dcgan'? Available: dcgan, vanilla.`, for any kind of name.

    Of many names the closest are listed, and what shows all of them.
    """
    return ZooError(f"Unknown {kind}: '{name}'.{suggested(name, available, ALL_BY.get(kind))}")


def suggested(name: str, available: Iterable[str], all_by: str | None = None) -> str:
    """` Did you mean 'dcgan'? Available: dcgan, vanilla.`; `all_by` is the command that shows all names."""
    names = sorted(available)
    nearest = nearest_name(name, names)
    mend = f" Did you mean '{nearest}'?" if nearest else ""
    if len(names) <= MOST_LISTED:
        return f"{mend} Available: {', '.join(names) or 'none'}."
    close = [each for each in near_names(name, names, CLOSEST + 1, FAR) if each != nearest][:CLOSEST]
    where = f"`{all_by}` shows all {len(names)}" if all_by else f"There are {len(names)}"
    near = f" Near it: {', '.join(close)}." if close else ""
    return f"{mend}{near} {where}."


def nearest_name(name: str, available: Iterable[str]) -> str | None:
    """The available name that reads most like `name`, or None when nothing is close."""
    return next(iter(near_names(name, available, 1)), None)


def near_names(name: str, available: Iterable[str], count: int, likeness: float = NEAR) -> list[str]:
    """At most so many available names that read like `name`, the closest first."""
    by_lower = {each.lower(): each for each in available}
    return [by_lower[each] for each in get_close_matches(name.lower(), by_lower, n=count, cutoff=likeness)]
