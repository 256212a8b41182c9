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


def unknown(kind: str, name: str, available: Iterable[str]) -> ZooError:
    """`Unknown variant: 'dcgna'. Available: dcgan, vanilla. Did you mean 'dcgan'?`, for any kind of name."""
    names = sorted(available)
    nearest = nearest_name(name, names)
    suggestion = f" Did you mean '{nearest}'?" if nearest else ""
    return ZooError(f"Unknown {kind}: '{name}'. Available: {', '.join(names) or 'none'}.{suggestion}")


def nearest_name(name: str, available: Iterable[str]) -> str | None:
    """The available name that reads most like `name`, or None when nothing is close."""
    by_lower = {each.lower(): each for each in available}
    matches = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None
