"""What makes two scores comparable, kept with each of them; scores of different protocols are never put together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.base.plain_data import plain
from zoo.errors import ZooError
from zoo.runs.directory import differences

AVERAGED, RAW, FILES = "averaged where kept", "raw", "files"  # the weights of the generator, or none that is known


@dataclass(frozen=True)
class Protocol:
    """Everything beside the generator that a score depends on, but for the draw of latents (see `seed`)."""

    extractor: Mapping[str, Any] | None  # name, sha256 of its weights, preparation
    real: Mapping[str, Any]  # dataset, source, split, crop, resize, fingerprint, count, sample_shape
    generated: Mapping[str, Any]  # count; which weights by rule, and whether that were averaged ones; BatchNorm's mode
    seed: int  # of latents, and of what metrics draw: another one is another draw of the same score

    def of_score(self, by_extractor: bool, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The protocol of one score; what is measured in pixels does not depend on the extractor."""
        made = {
            "extractor": self.extractor if by_extractor else None,
            "real": self.real,
            "generated": self.generated,
            "settings": dict(settings),
            "seed": self.seed,
        }
        return dict(plain(made))


def protocol_differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """`real.count: 10000 there, 2000 here`, a line for each difference of protocols that make scores incomparable.

    Real samples are the same where their fingerprint and count are, whatever their dataset is called.
    """
    if essence(one) == essence(other):
        return []
    keys = [key for key in dict.fromkeys([*one, *other]) if key != "seed"]
    return [line for key in keys for line in differences(key, one.get(key), other.get(key))]


def essence(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """What of a score's protocol must be equal in scores that are compared: not the seed, not names of data.

    Averaged weights where a run keeps them is one rule for all runs, those that keep none included.
    """
    parts = {"real": ("fingerprint", "count", "sample_shape"), "generated": ("count", "weights", "batch_norm")}
    chosen = {part: {name: protocol[part][name] for name in names} for part, names in parts.items()}
    return {**chosen, "extractor": protocol["extractor"], "settings": protocol["settings"]}


def check_comparable(scores: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Raises ZooError with the differences where scores of one name, as (whose, score), were not measured alike."""
    firsts: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for whose, score in scores:
        owner, first = firsts.setdefault(score["name"], (whose, score))
        if found := protocol_differences(first["protocol"], score["protocol"]):
            raise ZooError(
                f"The {score['name']} of {owner} and of {whose} can't be compared: their protocols differ.\n  "
                + "\n  ".join(found)
                + "\nEvaluate both alike: zoo evaluate RUN RUN with one set of options."
            )
