"""What a score may be called: `fid` and `is` are names of the 2015 Inception network's scores alone."""

INCEPTION = "inception"
LITERATURE = {"fd": "fid", "kid": "kid", "is": "is"}  # as papers call what is measured in Inception's features


def score_name(name: str, extractor: str | None) -> str:
    """`fid`, `fd_efficientnet-lite0`, `precision_inception`; the plain name of what no extractor is needed for."""
    if extractor is None:
        return name
    if extractor == INCEPTION and name in LITERATURE:
        return LITERATURE[name]
    return f"{name}_{extractor}"
