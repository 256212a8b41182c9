"""What of the stored values of images is black and what is white, given or found from the values themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError

if TYPE_CHECKING:
    import numpy as np

DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras, scanners and CT store, in 16
DARKEST = 0.5  # a range is taken for what it looks like only where the values reach this share of it


@dataclass(frozen=True)
class Values:
    """`black` becomes 0 and `white` 255, what lies beyond them too."""

    black: float
    white: float

    @classmethod
    def parsed(cls, text: str) -> "Values":
        """Of `0:4095`; raises ZooError for anything but two different numbers."""
        try:
            black, white = (float(each) for each in text.split(":"))
            if not (abs(white - black) > 0 and abs(white - black) < float("inf")):
                raise ValueError(text)
        except ValueError:
            raise ZooError(
                f"'{text}' names no values of black and white. Write both, such as --values 0:4095 or --values -1:1"
            ) from None
        return cls(black, white)

    @property
    def of_upper_bytes(self) -> "Values":
        """The same of 16-bit values of which only the upper 8 bits are known."""
        return Values(self.black / 257, self.white / 257)

    @property
    def said(self) -> str:
        """In words, for the user."""
        return f"value {self.black:g} is black, {self.white:.10g} white (--values {self})"

    def __str__(self) -> str:
        return f"{self.black:g}:{self.white:.10g}"

    def eight_bits(self, stored: "np.ndarray") -> "np.ndarray":
        """uint8 of the stored values, rounded to the nearest."""
        import numpy as np

        shares = (stored.astype(np.float64) - self.black) / ((self.white - self.black) / 255)
        return np.clip(np.rint(shares), 0, 255).astype(np.uint8)


EIGHT_BITS = Values(0, 255)
SIXTEEN_BITS = Values(0, 65535)
RANGES = (Values(0, 1), Values(-1, 1), EIGHT_BITS)  # that floating-point images have, by convention


def of_integers(high: int, where: str, low: int = 0) -> Values:
    """The depth of whole numbers with the largest value `high`: 4095 is white where they have 12 bits.

    Raises ZooError for values below 0 or beyond 16 bits, and for such small ones that no depth is plain.
    """
    depth = next((bits for bits in DEPTHS if high < 2**bits), None)
    if low < 0 or depth is None:
        raise ZooError(
            f"{where} holds values from {low:,} to {high:,}, beyond 16 bits. Store it with 8 or 16 bits a channel, or "
            f"say which values are black and white: --values {low}:{high}"
        )
    if high < DARKEST * 2 ** DEPTHS[0]:
        raise ZooError(
            f"{where} holds values up to {high:,} only, of 16 bits or of fewer. Say which value is white: "
            f"--values 0:{max(1, high)}, --values 0:255 or --values 0:65535"
        )
    return Values(0, 2**depth - 1)


def of_floats(low: float, high: float, where: str) -> Values:
    """The one of RANGES that the values lie in and make use of; raises ZooError where none or several may be meant."""
    fitting = [each for each in RANGES if each.black <= low and high <= each.white and uses(each, low, high)]
    if len(fitting) != 1:
        raise ZooError(
            f"{where} holds floating-point values from {low:g} to {high:g}, and it isn't plain which are black and "
            f"white. Say it: {', '.join(f'--values {each}' for each in RANGES)}, or --values {low:g}:{high:g}"
        )
    return fitting[0]


def uses(values: Values, low: float, high: float) -> bool:
    """Whether values from `low` to `high` reach far into both ends of a range."""
    return high >= DARKEST * values.white and (values.black == 0 or low <= DARKEST * values.black)


def of_blocks(blocks: Iterable[Any], where: str) -> Values:
    """Of arrays of one kind, block by block; raises ZooError where they are not plain, or not finite."""
    import numpy as np

    low, high = np.inf, -np.inf
    for block in blocks:
        if block.dtype.kind == "b":
            return Values(0, 1)
        ends = block.min(), block.max()
        low, high = min(low, ends[0]), max(high, ends[1])
        if not np.isfinite(ends).all():
            raise ZooError(f"{where} holds values that are not finite. Remove them.")
        if block.dtype.kind in "iu" and low >= 0 and high >= 2 ** DEPTHS[-2] and block.dtype.itemsize <= 2:
            break  # of 16 bits, whatever follows
    if block.dtype.kind == "f":
        return of_floats(float(low), float(high), where)
    return of_integers(int(high), where, int(low))
