"""Trains translations, scores them on test images, and puts them beside baselines.

    python -m benchmarks.translation [--only NAME ...] [--images N] [--data-dir DIR] [--runs FOLDER] [--out FOLDER]

Trains every run of experiments.py (a run that is there goes on); writes a JSON, a table and pictures of each.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.machine import commit, machine
from benchmarks.common.tables import table
from benchmarks.translation.experiments import EXPERIMENTS, Experiment
from zoo.backend import prepare
from zoo.evaluation.options import SAMPLES

METRICS = ("paired", "perceptual", "kid")
SHOWN = {  # decimals
    "l1": 4, "psnr": 2, "ssim": 3, "perceptual_efficientnet-lite0": 3, "kid_efficientnet-lite0": 4,
}  # fmt: skip


def main() -> None:
    """Every experiment that is asked for."""
    prepare()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    parser.add_argument("--images", type=int, help="Of each run, in the place of the experiments' own numbers.")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/translation"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/translation"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        report = measured(name, EXPERIMENTS[name], arguments)
        (arguments.out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
        (arguments.out / f"{name}.md").write_text(markdown(report))
        print(markdown(report))


def measured(name: str, experiment: Experiment, arguments: argparse.Namespace) -> dict[str, Any]:
    """The scores of an experiment's runs and baselines, and what they were measured on."""
    import zoo
    from benchmarks.translation.baselines import scores_of_baselines
    from zoo.base.pictures import save_picture

    images = arguments.images or experiment.images
    rows: list[dict[str, Any]] = []
    for trained in experiment.trained:
        run = zoo.run(
            trained.stack,
            dataset=trained.dataset,
            data_dir=arguments.data_dir,
            budget=zoo.Budget(images=images),
            settings=dict(trained.settings),
            out=arguments.runs / name / trained.name,
        )
        count = min(SAMPLES, run.held_out.count)  # each test image once
        options = zoo.EvaluationOptions(METRICS, count, extractor="efficientnet-lite0", data_dir=arguments.data_dir)
        [evaluation] = zoo.evaluate(run, options=options)
        rows.append(
            {
                "name": trained.name,
                "command": trained.command(images),
                "seconds": run.metrics[-1]["seconds"],
                "scores": {score["name"]: score for score in evaluation["scores"]},
            }
        )
        save_picture(picture_of(evaluation), arguments.out / f"{name}-{trained.name}.png")
    first = experiment.trained[0]
    run = zoo.load(arguments.runs / name / first.name)
    rows += [
        {"name": baseline, "command": "", "seconds": None, "scores": scores}
        for baseline, scores in scores_of_baselines(run, experiment.baselines).items()
    ]
    return {
        "title": experiment.title,
        "date": time.strftime("%Y-%m-%d"),
        "images": images,
        "machine": machine(0),
        "commit": commit(),
        "rows": rows,
    }


def picture_of(evaluation: Mapping[str, Any]) -> Any:
    """The rows of source, result and target that the evaluation has drawn."""
    from PIL import Image

    with Image.open(evaluation["pictures"]["paired"]) as file:
        return file.copy()


def markdown(report: Mapping[str, Any]) -> str:
    """The table, with the best of each column in bold, and the commands below it."""
    names = [name for name in SHOWN if any(name in row["scores"] for row in report["rows"])]
    best = {name: best_of(report["rows"], name) for name in names}
    rows = [
        [row["name"], *(shown(row["scores"].get(name), SHOWN[name], row["name"] == best[name]) for name in names)]
        for row in report["rows"]
    ]
    arrows = {"lower": "↓", "higher": "↑"}
    header = ["", *(f"{name} {arrows[better_of(report['rows'], name)]}" for name in names)]
    commands = [f"    {row['command']}" for row in report["rows"] if row["command"]]
    where = f"{report['date']}, {report['machine']['processor']}, {report['machine']['cores']} cores"
    return "\n".join(
        [
            f"# {report['title']}",
            "",
            table(header, rows),
            "",
            f"{report['images']:,} images each; one seed ranks nothing. {where}, commit {report['commit']}.",
            "",
            *commands,
            "",
        ]
    )


def better_of(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Whether less or more of a score is better."""
    return str(next(row["scores"][name]["better"] for row in rows if name in row["scores"]))


def best_of(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Whose score is the best."""
    sign = 1 if better_of(rows, name) == "lower" else -1
    known = [row for row in rows if name in row["scores"]]
    return str(min(known, key=lambda row: sign * row["scores"][name]["value"])["name"])


def shown(score: Mapping[str, Any] | None, decimals: int, is_best: bool) -> str:
    """A score with its deviation."""
    if score is None:
        return ""
    text = f"{score['value']:.{decimals}f}"
    spread = "" if score["deviation"] is None else f" ± {score['deviation']:.{decimals}f}"
    return f"**{text}**{spread}" if is_best else f"{text}{spread}"


if __name__ == "__main__":
    main()
