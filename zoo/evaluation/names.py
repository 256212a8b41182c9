"""What a score may be called: `fid` and `is` are names of the 2015 Inception network's scores alone."""

from zoo.training.names import SAMPLES

INCEPTION = "inception"
LITERATURE = {"fd": "fid", "kid": "kid", "is": "is"}  # as papers call what is measured in Inception's features


def score_name(name: str, extractor: str | None) -> str:
    """`fid`, `fd_efficientnet-lite0`, `precision_inception`; the plain name of what no extractor is needed for."""
    if extractor is None:
        return name
    if extractor == INCEPTION and name in LITERATURE:
        return LITERATURE[name]
    return f"{name}_{extractor}"


def of_direction(to: str) -> str:
    """What names of scores and pictures of a translation end in: nothing of that to samples, else `_to_source`."""
    return "" if to == SAMPLES else f"_to_{to}"
