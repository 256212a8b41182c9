"""Trains translations, scores them on test images, and puts them beside baselines.

    python -m benchmarks.translation [NAME ...] [--images N] [--photographs DATASET=NAME] [--data-dir DIR]
                                     [--runs FOLDER] [--out FOLDER]

Of each experiment of experiments.py it leaves a table, a JSON and a sheet. Stopped at any time it goes on where it was:
runs from their last checkpoint, and what the JSON has is not measured again.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.common.machine import commit, machine
from benchmarks.translation.experiments import EXPERIMENTS, PHOTOGRAPHS, Experiment, photographs
from benchmarks.translation.report import markdown
from zoo.backend import prepare

EXTRACTOR = "efficientnet-lite0"
METRICS = ("paired", "perceptual", "kid")
TESTED = 1000  # test images at most, each once


def main() -> None:
    """Every experiment that is asked for."""
    prepare()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Of {', '.join(EXPERIMENTS)}; all unless named.")
    parser.add_argument("--images", type=int, help="Of each run, in the place of the experiments' own numbers.")
    parser.add_argument("--tested", type=int, default=TESTED, help="Test images, at most.")
    parser.add_argument(
        "--photographs", default="cifar10=CIFAR-10", help="The dataset of the experiment of that name, and what it is."
    )
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/translation"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/translation"))
    arguments = parser.parse_args()
    if wrong := sorted(set(arguments.names) - set(EXPERIMENTS)):
        parser.error(f"no experiment {', '.join(wrong)}. Available: {', '.join(EXPERIMENTS)}")
    if arguments.photographs.count("=") != 1:
        parser.error(f"--photographs takes DATASET=NAME, such as photos.npz=Photos; received {arguments.photographs}.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or EXPERIMENTS:
        experiment = photographs(*arguments.photographs.split("=")) if name == PHOTOGRAPHS else EXPERIMENTS[name]
        print(markdown(measured(name, experiment, arguments)))


def measured(name: str, experiment: Experiment, arguments: argparse.Namespace) -> dict[str, Any]:
    """The report of an experiment, written after each row: scores of runs and baselines, and what they stand for."""
    import zoo
    from benchmarks.translation.baselines import BASELINES, Tested
    from benchmarks.translation.sheet import sheet
    from zoo.base.pictures import save_picture

    images = arguments.images or experiment.images
    file = arguments.out / f"{name}.json"
    report = {"title": experiment.title, "images": images, "sheet": f"{name}.png", "rows": []}
    kept = {row["name"]: row for row in rows_of(file, images, arguments.tested)}

    def add(row: dict[str, Any]) -> None:
        report["rows"].append(row)
        report.update(tested=arguments.tested, date=time.strftime("%Y-%m-%d"), machine=machine(0), commit=commit())
        write(report, file)

    runs = {}
    for trained in experiment.trained:
        runs[trained.name] = run = zoo.run(
            trained.stack,
            dataset=trained.dataset,
            data_dir=arguments.data_dir,
            budget=zoo.Budget(images=images),
            settings=trained.settings_for(images),
            out=arguments.runs / name / trained.name.replace(" ", "-"),
        )
        row = {"name": trained.name, "command": trained.command(images), "seconds": run.metrics[-1]["seconds"]}
        known = kept.get(trained.name, {})
        unchanged = known.get("command") == row["command"]
        add({**row, "scores": known["scores"] if unchanged else scores_of(run, arguments)})
    tested = Tested.of(next(iter(runs.values())), arguments.tested)
    for baseline in experiment.baselines:
        scores = kept.get(baseline, {}).get("scores") or tested.scores(BASELINES[baseline](tested))
        add({"name": baseline, "command": "", "seconds": None, "scores": scores})
    shown = [baseline for baseline in experiment.baselines if baseline == "bicubic"]
    report["columns"], picture = sheet(tested, runs, shown)
    save_picture(picture, arguments.out / str(report["sheet"]))
    write(report, file)
    return report


def write(report: dict[str, Any], file: Path) -> None:
    """The report as JSON and as a page; files are named as seen from the working directory."""
    file.write_text(json.dumps(report, indent=1).replace(f"{Path.cwd()}/", "") + "\n")
    file.with_suffix(".md").write_text(markdown(report))


def rows_of(file: Path, images: int, tested: int) -> list[dict[str, Any]]:
    """What an earlier call has measured with the same budget and the same test images."""
    if not file.exists():
        return []
    earlier = json.loads(file.read_text())
    same = (earlier["images"], earlier["tested"]) == (images, tested)
    return list(earlier["rows"]) if same else []


def scores_of(run: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """A run's scores by their names, on each test image once."""
    import zoo

    count = min(arguments.tested, run.held_out.count)
    options = zoo.EvaluationOptions(METRICS, count, extractor=EXTRACTOR, data_dir=arguments.data_dir)
    [evaluation] = zoo.evaluate(run, options=options)
    return {score["name"]: score for score in evaluation["scores"]}


if __name__ == "__main__":
    main()
