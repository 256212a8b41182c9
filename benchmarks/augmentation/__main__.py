"""Trains classifiers on few labels: as they are, augmented, oversampled, and with images of a GAN that saw no others.

    python -m benchmarks.augmentation [--datasets fashion_mini] [--labels 10 30 100 300 1000] [--seeds 5]
        [--images N] [--steps N] [--data-dir DIR] [--runs FOLDER] [--out FOLDER]

One GAN for each dataset, number of labels a class and seed, trained on these images alone; and one on a set of which a
class has 5% of the others' images. Stopped at any time it goes on where it was: GANs from their last checkpoint, and
what was measured of a set is not measured again, so that --seeds 1, then 2, then 5 add seeds. Each dataset has a folder
of results, so that two commands may measure two datasets at once.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.augmentation.report import BALANCED, PLOT, markdown
from benchmarks.augmentation.ways import WAYS, accuracies
from benchmarks.common.machine import commit, machine
from zoo.backend import prepare

STACK = "cgan-projection"
SETTINGS = {  # of the GAN, in all runs
    "width": 32, "batch_size": 16, "critic_steps": 1, "average_decay": 0.999,
    "generator_learning_rate": 1e-3, "discriminator_learning_rate": 1e-3,
}  # fmt: skip
BATCH = 64  # images of a classifier's step: half of the evaluator's, so that as many images are twice the steps
IMBALANCED = "one class at 5%"
SHOWN = "shown.npy"  # a GAN's first images
SHEET = "sheet.png"
RARE, RARE_SHARE, COMMON = 6, 0.05, 1000  # the class (shirts of Fashion-MNIST), its share, images of the others


def main() -> None:
    """Every dataset, number of labels and seed."""
    prepare()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=["fashion_mini"])
    parser.add_argument("--labels", nargs="+", type=int, default=[10, 30, 100, 300, 1000])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=60_000, help="That each GAN's discriminator sees.")
    parser.add_argument("--steps", type=int, default=1000, help="Of each classifier.")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/augmentation"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/augmentation"))
    arguments = parser.parse_args()
    for dataset in arguments.datasets:
        print(markdown(complete(dataset, arguments)))


def complete(dataset: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The report of a dataset, in which nothing lacks any more."""
    from benchmarks.augmentation.plot import save_plot
    from zoo.catalogue import read_catalogue
    from zoo.data import open_dataset

    folder = arguments.out / dataset
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "augmentation.json"
    settings = {
        "images": arguments.images,
        "steps": arguments.steps,
        "batch": BATCH,
        "stack": STACK,
        "recipe": SETTINGS,
    }
    report = json.loads(path.read_text()) if path.exists() else {"settings": settings, "rows": []}
    if report["settings"] != settings:
        raise SystemExit(f"{path} was measured with other settings: choose another --out.")
    classes = open_dataset(dataset, read_catalogue(), data_dir=arguments.data_dir).classes or 0
    if classes <= RARE:
        raise SystemExit(f"{dataset} has {classes} classes; class {RARE} is to be the rare one of them.")
    for seed in range(arguments.seeds):
        for kind, labels in [*((BALANCED, each) for each in arguments.labels), (IMBALANCED, COMMON)]:
            key = {"dataset": dataset, "kind": kind, "labels": labels, "seed": seed}
            if any(all(row[name] == key[name] for name in key) for row in report["rows"]):
                continue
            report["rows"] += [{**key, **row} for row in measured(key, arguments)]
            report |= {"machine": machine(0), "commit": commit(), "date": time.strftime("%Y-%m-%d")}
            report["sheet"] = write_sheet(dataset, folder, arguments) or report.get(
                "sheet"
            )  # kept from another machine
            path.write_text(json.dumps(report, indent=1) + "\n")
            (folder / "augmentation.md").write_text(markdown(report))
            save_plot(report, folder / PLOT)
    return report


def measured(key: dict[str, Any], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The accuracies of every way to learn from one draw of labelled images."""
    import zoo
    from zoo.catalogue import read_catalogue
    from zoo.data import DataOptions, open_dataset
    from zoo.evaluation.classifier import TEACHING

    train, test = (
        open_dataset(key["dataset"], read_catalogue(), data_dir=arguments.data_dir, options=DataOptions(split))
        for split in ("train", "test")
    )
    wanted = np.full(train.classes or 0, key["labels"])
    if key["kind"] == IMBALANCED:
        wanted[RARE] = round(RARE_SHARE * key["labels"])
    rows = chosen(np.asarray(train.labels), wanted, key["seed"])
    images, labels = np.asarray(train.samples[rows]), np.asarray(train.labels)[rows]
    folder = folder_of(key, arguments.runs)
    folder.mkdir(parents=True, exist_ok=True)
    few = folder / "few.npz"
    if not few.exists():
        np.savez(few, samples=images, labels=labels)
    run = zoo.run(
        STACK,
        dataset=few,
        data=DataOptions("all"),
        data_dir=arguments.data_dir,
        budget=zoo.Budget(images=arguments.images),
        seed=key["seed"],
        settings=SETTINGS,
        out=folder / "run",
    )
    count = max(10_000, 2 * len(labels))
    asked = np.arange(count, dtype="int32") % len(wanted)
    fakes = run.sample(count, seed=key["seed"], conditions={"labels": asked})
    np.save(folder / SHOWN, fakes[: 2 * len(wanted)])
    teaching = replace(TEACHING, steps=arguments.steps, batch=BATCH)
    tested = (np.asarray(test.samples), np.asarray(test.labels))
    return [
        {"way": way, **accuracies(way, (images, labels), (fakes, asked), tested, key["seed"], teaching, RARE)}
        for way in WAYS
        if key["kind"] == IMBALANCED or not WAYS[way].balanced  # equal classes are balanced as they are
    ]


def folder_of(key: dict[str, Any], runs: Path) -> Path:
    """Where the labelled images of a set and its GAN are."""
    return runs / "-".join(str(key[each]).replace(" ", "_") for each in ("dataset", "kind", "labels", "seed"))


def write_sheet(dataset: str, folder: Path, arguments: argparse.Namespace) -> str | None:
    """A picture of what the first seed's GANs made: a row for each number of labels, of every class two. Returns its
    name.
    """
    from zoo.base.pictures import grid, save_picture

    keys = [{"dataset": dataset, "kind": BALANCED, "labels": each, "seed": 0} for each in arguments.labels]
    files = [folder_of(key, arguments.runs) / SHOWN for key in keys]
    rows = [np.load(file) for file in files if file.exists()]
    if not rows:
        return None
    save_picture(grid(np.concatenate(rows), columns=len(rows[0])), folder / SHEET)
    return SHEET


def chosen(labels: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    """Rows of so many images of each class, drawn by the seed; those of fewer labels are among those of more."""
    draw = np.random.Generator(np.random.Philox(seed))
    found = [draw.permutation(np.flatnonzero(labels == number))[:count] for number, count in enumerate(wanted)]
    return np.sort(np.concatenate(found))


if __name__ == "__main__":
    main()
