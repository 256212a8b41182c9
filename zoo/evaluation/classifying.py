"""`zoo classify`: what a labelled set teaches the zoo's small classifier, measured on real test images."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t

from zoo import backend
from zoo.base.files import read_json
from zoo.base.names import readable, short_name
from zoo.base.progress import Progress
from zoo.catalogue import Catalogue
from zoo.data import open_dataset
from zoo.data.options import CHANNELS, DataOptions
from zoo.errors import ZooError
from zoo.evaluation.classifier import TEACHING, Teaching, taught
from zoo.evaluation.metrics.intervals import of_share
from zoo.training.augmentation import MANIFEST

if TYPE_CHECKING:
    from zoo.data import Dataset

TRAIN, TEST, ALL = "train", "test", "all"  # splits
NUMBER = re.compile(r"\d+-")  # before the name of a class that `zoo augment` writes a folder of
AS_THEY_ARE = DataOptions()
UPPER = 0.975  # the quantile of Student's t that ends an interval of 95%


@dataclass(frozen=True)
class Classification:
    """What is trained on and tested with, by names or paths, and how often."""

    train: str
    test: str | None = None  # None: the test split of `train`
    test_split: str = TEST
    seeds: int = 1
    data: DataOptions = AS_THEY_ARE  # how both are read; of a set that `zoo augment` wrote only the test images
    data_dir: Path | None = None
    teaching: Teaching = TEACHING


@backend.fixed()
def classified(wanted: Classification, catalogue: Catalogue, progress: Progress) -> dict[str, Any]:
    """Accuracies of the classifier in all and of each class, over seeds, with how many images each was shown.

    Raises ZooError for data without labels, for classes that the test images lack, and where a set that `zoo augment`
    wrote has no real test images of its own and none are named.
    """
    train, test = opened(wanted, catalogue, progress)
    names = test.fields["labels"].all_names
    labels = in_classes_of(train, names, test)
    known = np.asarray(test.labels)
    hits = []
    for seed in range(wanted.seeds):
        classifier = taught(train.samples, labels, len(names), seed, wanted.teaching, progress=progress)
        hits.append(classifier.hits(test.samples, known))
    accuracies = [float(each.mean()) for each in hits]
    return {
        "train": identified(train),
        "test": identified(test),
        "accuracies": accuracies,
        "accuracy": mean(accuracies),
        "interval": list(interval(accuracies, len(known))),
        "classes": [of_class(number, name, labels, known, hits) for number, name in enumerate(names)],
        "classifier": wanted.teaching.settings,
    }


def opened(wanted: Classification, catalogue: Catalogue, progress: Progress) -> tuple["Dataset", "Dataset"]:
    """The images to train on, all of them where the test images are others, and the test images at their size."""
    read = partial(open_dataset, catalogue=catalogue, data_dir=wanted.data_dir, progress=progress)
    manifest = manifest_of(wanted.train)
    if wanted.test is None and manifest is not None and not manifest.get("test"):
        raise ZooError(
            f"{wanted.train} holds no real test images: say which it is tested with, --test "
            f"{manifest['trained_on']['name']}."
        )
    of_train = AS_THEY_ARE if manifest is not None else wanted.data
    train = read(wanted.train, options=replace(of_train, split=TRAIN))
    if wanted.test is not None and train.description["division"] is not None:
        train = read(wanted.train, options=replace(of_train, split=ALL))
    height, width, channels = (*train.sample_shape, 0, 0)[:3]
    if not train.is_image or height != width:
        raise ZooError(f"The classifier is taught square images; those of {wanted.train} are {train.sample_shape}.")
    alike: dict[str, Any] = {"image_size": height, "channels": channels if channels in CHANNELS else None}
    of_test = of_train if wanted.test is None else wanted.data
    test = read(wanted.test or wanted.train, options=replace(of_test, split=wanted.test_split, **alike))
    for each in (train, test):
        if each.labels is None:
            raise ZooError(f"{short_name(each.name)} has no labels to learn or to test: choose some with --label.")
    return train, test


def manifest_of(name: str) -> Mapping[str, Any] | None:
    """What `zoo augment` wrote about a set; None of everything else."""
    path = Path(name).expanduser()
    found = read_json(path / MANIFEST if path.is_dir() else path.with_name(f"{path.name}.{MANIFEST}"))
    return found if found is not None and "trained_on" in found else None


def in_classes_of(train: "Dataset", names: Sequence[str], test: "Dataset") -> np.ndarray:
    """The labels (N,) of the training images as numbers of the classes in `names`, told by their names where they have.

    A folder's class `03-T-shirt_top`, as `zoo augment` writes them, is the class `T-shirt/top`, or of test images
    without names the third. Raises ZooError for a class that no test image can be of.
    """
    own = train.fields["labels"].all_names
    alike = {readable(name): number for number, name in enumerate(names)}
    if not (train.class_names and test.class_names):  # numbers alone, which `zoo augment` keeps
        alike = {str(number): number for number in range(len(names))}
        numbers = [alike.get(name.partition("-")[0].lstrip("0") or "0") for name in own]
    else:
        numbers = [alike.get(readable(name), alike.get(NUMBER.sub("", name, count=1))) for name in own]
    if unknown := [name for name, number in zip(own, numbers, strict=True) if number is None]:
        raise ZooError(
            f"{short_name(train.name)} has the classes {', '.join(unknown)}, which {short_name(test.name)} lacks: its "
            f"classes are {', '.join(names)}. Rename them, or test with other images: --test."
        )
    return np.array(numbers)[np.asarray(train.labels)]


def identified(data: "Dataset") -> dict[str, Any]:
    """What says which images these are."""
    return {"name": data.name, "split": data.split, "count": data.count, "fingerprint": data.fingerprint}


def of_class(
    number: int, name: str, labels: np.ndarray, known: np.ndarray, hits: Sequence[np.ndarray]
) -> dict[str, Any]:
    """How many images of a class were trained on and tested with, and the share taken for it; None without tests."""
    rows = known == number
    accuracy = float(np.mean([each[rows].mean() for each in hits])) if rows.any() else None
    return {"name": name, "trained": int((labels == number).sum()), "tested": int(rows.sum()), "accuracy": accuracy}


def interval(accuracies: Sequence[float], tested: int) -> tuple[float, float]:
    """95% of the mean over seeds, by Student's t; of one seed Wilson's interval, over draws of `tested` images."""
    if len(accuracies) == 1:
        low, high = of_share("accuracy", accuracies[0], tested, None).interval or (0.0, 1.0)
        return low, high
    count = len(accuracies)
    reach = float(t.ppf(UPPER, count - 1)) * stdev(accuracies) / math.sqrt(count)
    return max(0.0, mean(accuracies) - reach), min(1.0, mean(accuracies) + reach)
