"""From options and data to an evaluation task."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.base.progress import Progress
from zoo.catalogue import Catalogue
from zoo.data.opening import entry_of as dataset_entry
from zoo.errors import ZooError
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.lookup import default_name, open_extractor
from zoo.evaluation.features import KINDS
from zoo.evaluation.images import Images, real_images, share_seen
from zoo.evaluation.metrics.contract import Mixture
from zoo.evaluation.metrics.selection import MORE, chosen_metrics
from zoo.evaluation.options import EvaluationOptions
from zoo.evaluation.task import EvaluationTask
from zoo.evaluation.translations import has_way_back, pair_count
from zoo.training.data_of_run import ChangedData, DataOfRun

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.training.players import Generating

MOST_SEEN = 0.01  # share of the real samples that may be among the training samples: datasets hold duplicates
MODES_BY = "digits"  # the extractor that says which mode an image shows


def evaluation_task(
    dataset: "Dataset",
    training: "Dataset | None",
    options: EvaluationOptions,
    catalogue: Catalogue,
    folder: Path,
    progress: Progress,
    generated: int | None = None,
    generating: "Generating | None" = None,
    given: "Dataset | None" = None,
) -> EvaluationTask:
    """An evaluation against the samples of `dataset`; `training` is what the generator learnt from, where it is known.

    `generated` is how many samples there will be where that is another number than the options'. `generating` is the
    generator, where there is one, of which is asked whether it translates; `given` are the rows that it is given where
    these are not those of `dataset`. Raises ZooError where
    real samples were trained on, unless the options allow it.
    """
    real = real_images(dataset, options.real_count, folder)
    if training is not None and not options.allow_training:
        refuse_seen(dataset, training, options)
    extractor = None
    if not real.are_points:
        name = options.extractor or default_name(dataset_entry(dataset.name, catalogue).extractor, progress)
        extractor = open_extractor(name, catalogue, options.resize, options.weights, progress)
    mixture = mixture_of(dataset)
    available, missing = what_there_is(real, extractor, mixture, training, dataset.classes)
    given = given or dataset
    pairs = 0 if generating is None or real.are_points else pair_count(generating, given)
    cycles = generating is not None and has_way_back(generating)
    labelled = generating is not None and generating.is_conditional and dataset.labels is not None
    if labelled and training is not None and training.labels is not None:
        available.add("labels")
    available |= ({"pairs"} if pairs else set()) | ({"cycles"} if cycles else set())
    counts = {"real": len(real.samples), "generated": generated or options.samples}
    more = dict(MORE)
    if dataset.count > len(real.samples):  # of which --samples takes as many as of the generated ones
        more["real"] = "Take more: " + ("--samples N" if options.real_samples is None else "--real-samples N")
    if generated is not None and generated < options.samples:
        more["generated"] = "Score more files"
    metrics = chosen_metrics(options.metrics, available, missing, counts, catalogue, more)
    for metric in metrics.values():
        if metric.prepare is not None:
            metric.prepare(progress)
    return EvaluationTask(
        real=real,
        metrics=metrics,
        extractor=extractor,
        training=None if training is None or real.are_points else training.samples,
        training_labels=None if training is None else training.labels,
        mixture=mixture,
        mode_count=dataset.classes,
        seed=options.seed,
        data_dir=options.data_dir,
        rows=given.rows,
        pairs=pairs,
        cycles=cycles,
        to=options.to,
        progress=progress,
    )


def what_there_is(
    real: Images,
    extractor: Extractor | None,
    mixture: Mixture | None,
    training: "Dataset | None",
    classes: int | None,
) -> tuple[set[str], dict[str, str]]:
    """Which of the needs of metrics are met here, and for the others why they are not.

    An extractor is asked by one image: it may have logits or modes of some images only.
    """
    missing = dict[str, str]()
    if extractor is None:
        available = {"features", "points"} | ({"modes"} if mixture else set())
        missing = dict.fromkeys(
            ("images", "logits", "training", "pairs", "cycles", "labels"), "the samples are points, not images"
        )
        missing["modes"] = "the points are drawn from no mixture"
        return available, missing
    try:
        answer = extractor.features(np.asarray(real.samples[:1]))
        kinds = {kind for kind in KINDS if getattr(answer, kind) is not None}
    except ZooError as error:  # of two channels, which metrics that read no network measure
        kinds, missing["features"] = set(), str(error).partition(". ")[0]
    available = {"images", *kinds, *({"training"} if training is not None else ())}
    missing["logits"] = f"'{extractor.name}' has none of such images"
    missing["modes"] = f"modes of images are digits: --extractor {MODES_BY}, on mnist or stacked_mnist"
    if "modes" in available and classes is None:
        available.remove("modes")
        missing["modes"] = "the real samples have no labels, which say how many modes there are"
    missing["points"] = "the samples are images"
    missing["labels"] = "only a conditional generator is asked for classes"
    missing["pairs"] = "samples that are made of data, and belong to real ones, are those of translations of pairs"
    missing["cycles"] = "only a generator that translates in both directions has a way back"
    missing["training"] = "the images that the generator learnt from are not known"
    return available, missing


def mixture_of(dataset: "Dataset") -> Mixture | None:
    """The Gaussians that a dataset's points were drawn from, or None."""
    centres = dataset.description.get("centres")
    if centres is None:
        return None
    return Mixture(np.array(centres, "float64"), float(dataset.description["standard_deviation"]))


def refuse_seen(real: "Dataset", training: "Dataset", options: EvaluationOptions) -> None:
    """Raises ZooError where more of the real samples were trained on than duplicates of a dataset explain."""
    same = real.fingerprint == training.fingerprint
    share = 1.0 if same else share_seen(real.samples, training.samples)
    if share > MOST_SEEN:
        raise ZooError(
            f"{share:.0%} of the real samples of {real.name}, split {real.split}, are among those that the run was "
            f"trained on ({training.split}): a score against them rewards memorising. Choose another --split, or ask "
            "for it: --allow-training."
        )


def open_training(data: DataOfRun) -> "Dataset | None":
    """What a run was trained on; None, with a note, where that is not here any more."""
    try:
        return data.training()
    except ChangedData:
        raise
    except ZooError as error:
        data.progress.note(
            f"What the run was trained on is not to be had, so nothing is said of memorised samples: {error}"
        )
        return None
