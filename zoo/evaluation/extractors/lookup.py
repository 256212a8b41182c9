"""The extractor of a name, and which one is taken where none is named."""

from pathlib import Path

from zoo import backend
from zoo.base.progress import Progress
from zoo.catalogue import Catalogue, find_extension
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.names import INCEPTION
from zoo.extensions.loading import load_extension

KIND = "extractors"
WITHOUT_NETWORK = "efficientnet-lite0"  # its weights are installed with the zoo


def default_name(of_dataset: str | None, progress: Progress) -> str:
    """The dataset's own, else Inception where its weights are at hand, else the one that needs no download."""
    from zoo.base.weights import at_hand

    if of_dataset is not None:
        return of_dataset
    if at_hand():
        return INCEPTION
    progress.note(
        f"Measuring in {WITHOUT_NETWORK}: these scores are no FID, and compare with their like alone. For the FID of "
        f"papers: --extractor {INCEPTION}, which downloads its weights once (91 MiB)."
    )
    return WITHOUT_NETWORK


def open_extractor(
    name: str, catalogue: Catalogue, preparation: str | None, weights: Path | None, progress: Progress
) -> Extractor:
    """The network of that name; raises ZooError where there is none, or its weights are not to be had."""
    entry = find_extension(KIND, name, catalogue)
    with backend.fixed():
        extension = load_extension(KIND, entry)
        made: Extractor = extension.answer(preparation=preparation, weights=weights, progress=progress)
    extension.check_members(made, Extractor, "a zoo.extensions.Extractor")
    return made
