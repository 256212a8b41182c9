"""Pieces of HTML: tables and pictures as notebooks show them, every text escaped."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table; without a head where that is empty."""
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>" if head else ""
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def cells(texts: Sequence[object], tag: str) -> str:
    """The cells of a row."""
    return "".join(f'<{tag} style="text-align: left">{escape(str(each))}</{tag}>' for each in texts)


def paragraph(text: str, tag: str = "p") -> str:
    """A paragraph, or another element with text alone."""
    return f"<{tag}>{escape(text)}</{tag}>"


def data_uri(content: bytes, kind: str) -> str:
    """The bytes of an image file of that kind, such as png or webp, as an address."""
    return f"data:image/{kind};base64,{b64encode(content).decode('ascii')}"


def picture(content: bytes, kind: str, alternative: str, caption: str = "") -> str:
    """An embedded picture: the bytes of a file of that kind, such as png or webp; a caption stands above it."""
    image = f'<img src="{data_uri(content, kind)}" alt="{escape(alternative)}" style="max-width: 480px">'
    if not caption:
        return image
    return f'<figure style="display: inline-block; margin: 4px">{paragraph(caption, "figcaption")}{image}</figure>'
