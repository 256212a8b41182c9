"""From an extractor's name, or none, to the network."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from zoo import backend
from zoo.base.progress import Progress
from zoo.catalogue import Catalogue, ExtractorEntry, PluginEntry, load_plugin
from zoo.catalogue.entries import match
from zoo.errors import ZooError, unknown
from zoo.evaluation.names import INCEPTION

if TYPE_CHECKING:
    from zoo.extractor import Extractor

WITHOUT_NETWORK = "efficientnet-lite0"  # its weights are installed with the zoo


def default_name(wanted: str | None, progress: Progress) -> str:
    """What the dataset wants, else Inception where its weights are at hand, else what needs no download."""
    from zoo.evaluation.extractors.weights import at_hand

    if wanted is not None:
        return wanted
    if at_hand():
        return INCEPTION
    progress.note(
        f"Measuring in {WITHOUT_NETWORK}: these scores are no FID, and compare with their like alone. For the FID of "
        f"papers: --extractor {INCEPTION}, which downloads its weights once (91 MiB)."
    )
    return WITHOUT_NETWORK


def open_extractor(
    name: str, catalogue: Catalogue, preparation: str | None, weights: Path | None, progress: Progress
) -> "Extractor":
    """The network of that name: an extractor of registry.yaml, or a plugin that answers the hook `extractor`."""
    entry = entry_of(name, catalogue)
    backend.prepare()  # before the network's module imports Keras, loudly
    module = extractor_module(entry)
    made: Extractor = hook_answer(module, name, preparation, weights, progress)
    return made


def extractor_module(entry: PluginEntry) -> ModuleType:
    """The module that brings an extractor; raises ZooError where it can't be loaded, or brings none."""
    module = load_plugin(entry)
    if not hasattr(getattr(module, "extractor", None), "zoo_impl"):
        raise ZooError(
            f"'{entry.name}' ({entry.source}) brings no extractor: it has no function `extractor` marked with "
            "@hookimpl. See what there is: zoo list extractors."
        )
    return module


def hook_answer(
    module: object, name: str, preparation: str | None, weights: Path | None, progress: Progress
) -> "Extractor":
    """What the module's hook answers, called by pluggy, so that it may name only the arguments that it wants."""
    import pluggy

    from zoo import hookspecs

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name=name)
    answer: Extractor | None = manager.hook.extractor(preparation=preparation, weights=weights, progress=progress)
    if answer is None:
        raise ZooError(f"The hook `extractor` of '{name}' returned None. Expected an extractor.")
    return answer


def entry_of(name: str, catalogue: Catalogue) -> ExtractorEntry | PluginEntry:
    """The catalogue's entry; raises ZooError with the names that there are."""
    if found := match(name, catalogue.extractors):
        return catalogue.extractors[found]
    if found := match(name, catalogue.plugins):
        return catalogue.plugins[found]
    raise unknown("extractor", name, catalogue.extractors)
