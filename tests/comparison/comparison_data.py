"""Synthetic comparisons in the form of zoo/comparison/results.py: seeded draws around plausible training curves."""

import gzip
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from zoo.base.pictures import grid, save_picture, scatter
from zoo.comparison.statistics import ranking

GARMENTS = Path(zoo.__file__).parent / "data/fashion_mini/t10k-images-idx3-ubyte.gz"
POINTS = ("ring8", "grid25")
POINT_SCORES = (("modes", "higher"), ("high_quality", "higher"), ("reverse_kl", "lower"))
IMAGE_SCORES = (("kid", "lower"), ("fd", "lower"), ("precision", "higher"), ("recall", "higher"))
STARTS = {"modes": 1.0, "high_quality": 0.2, "reverse_kl": 2.1, "kid": 0.25, "fd": 240.0, "precision": 0.1, "recall": 0}
GOALS = {
    "modes": 8,
    "high_quality": 0.98,
    "reverse_kl": 0.01,
    "kid": 0.012,
    "fd": 18.0,
    "precision": 0.7,
    "recall": 0.4,
}
EXTRACTOR = "efficientnet-lite0"
LEFT = (
    0.09,
    0.05,
    0.032,
    0.018,
    0.017,
)  # the share of the way by which each variant misses the goal; the last two are tied
CURVE, LOSSES = 10, 200  # points
DIVERGED = "Training diverged at step 812: generator_loss is nan; try a lower generator_learning_rate."


@dataclass(frozen=True)
class Plan:
    """The size and content of a synthetic comparison."""

    variants: Sequence[str] = ("vanilla,generator_objective=minimax", "dcgan", "wgan", "wgan-gp", "dcgan+r1,r1_gamma=1")
    datasets: Sequence[str] = ("fashion_mini",)
    seeds: int = 10
    states: Mapping[tuple[str, int], str] | None = None  # (variant, seed): state, of all datasets; others are done
    columns: int = 4  # scores at most
    folder: Path | None = None  # the folder of pictures; None for a comparison without pictures

    @property
    def of_points(self) -> bool:
        return self.datasets[0] in POINTS

    @property
    def scores(self) -> list[dict[str, Any]]:
        pairs = POINT_SCORES if self.of_points else [(f"{name}_{EXTRACTOR}", how) for name, how in IMAGE_SCORES]
        return [
            {"name": name, "better": how, "decides": not number}
            for number, (name, how) in enumerate(pairs[: self.columns])
        ]

    def state(self, variant: str, seed: int) -> str:
        return (self.states or {}).get((variant, seed), "done")


TROUBLED = Plan(
    states={
        ("vanilla,generator_objective=minimax", 2): "diverged",
        ("wgan", 4): "failed",
        ("wgan", 5): "diverged",
        ("dcgan+r1,r1_gamma=1", 9): "running",
    }
)


def comparison(plan: Plan = TROUBLED, **changes: Any) -> dict[str, Any]:
    """A synthetic comparison; keyword arguments change fields of the plan."""
    plan = replace(plan, **changes)
    cells = list(made_cells(plan))
    points = plan.of_points
    return {
        "format": 1,
        "title": " and ".join(plan.datasets),
        "benchmark": {
            "name": plan.datasets[0],
            "summary": "Eight Gaussians on a ring" if points else "Garments of 28 pixels",
            "datasets": list(plan.datasets),
            "budget": {"images": 5_120_000},
            "seeds": list(range(plan.seeds)),
            "evaluations": CURVE,
            "metrics": ["modes"] if points else ["kid", "fd", "precision-recall"],
            "samples": 2500,
            "extractor": None if points else EXTRACTOR,
            "sweep": {"r1_gamma": ["0.1", "1"]},
        },
        "made": "2026-11-24 21:00:00 +0000",
        "command": f"zoo compare {' '.join(plan.variants)} --benchmark {plan.datasets[0]}",
        "scores": plan.scores,
        "cells": cells,
        "recipes": {
            variant: {dataset: recipe(number) for dataset in plan.datasets}
            for number, variant in enumerate(plan.variants)
        },
        "rankings": {
            dataset: {
                score["name"]: {stage: ranked(cells, dataset, score, stage) for stage in ("best", "last")}
                for score in plan.scores
            }
            for dataset in plan.datasets
        },
        "protocols": {score["name"]: protocol(plan, number) for number, score in enumerate(plan.scores)},
        "versions": {"python": "3.12.4", "keras": "3.15.0", "tensorflow": "2.21.0", "gan-zoo": "0.1.0"},
        "machines": ["Linux x86_64, 2 cores, AMD EPYC, 8 GiB"],
        "engines": [{"backend": "tensorflow", "devices": ["cpu:0"], "policy": "graph, 1 step a call, float32"}],
        "notes": ["Times were measured while two runs trained at once."],
    }


def made_cells(plan: Plan) -> Iterator[dict[str, Any]]:
    """A cell for each variant, dataset and seed."""
    for number, variant in enumerate(plan.variants):
        for place, dataset in enumerate(plan.datasets):
            for seed in range(plan.seeds):
                draws = np.random.default_rng([number, place, seed])
                yield made_cell(plan, number, variant, dataset, seed, draws)


def made_cell(
    plan: Plan, number: int, variant: str, dataset: str, seed: int, draws: np.random.Generator
) -> dict[str, Any]:
    state = plan.state(variant, seed)
    stack, *settings = variant.split(",")
    path = f"runs/{variant}/{dataset}/{seed}"
    whole = state == "done"
    points = {"done": CURVE, "diverged": 3, "failed": 2, "running": 5}.get(state, 0)
    curve = [curve_point(plan, number, step, draws) for step in range(1, points + 1)]
    best = min(curve, key=lambda point: deciding(plan, point["scores"]), default=None)
    return {
        "label": variant,
        "stack": stack,
        "settings": settings,
        "dataset": dataset,
        "seed": seed,
        "path": path,
        "state": state,
        "reason": {"diverged": DIVERGED, "failed": "ResourceExhaustedError: out of memory at step 402"}.get(state, ""),
        "attempts": 3 if state == "failed" else 1,
        "collapsed": whole and seed == 7 and number % 2 == 0,
        "health": ("mode collapse" if whole and seed == 7 else "healthy") if points else "",
        "best": rescored(best, draws) if whole and best else {},
        "last": rescored(curve[-1], draws) if whole else {},
        "curve": curve,
        "losses": losses(points, number, draws, state),
        "cost": cost(number, points, draws) if points else {},
        "picture": picture(plan, number, dataset, path, draws) if points else None,
    }


def deciding(plan: Plan, scores: Mapping[str, float]) -> float:
    score = next(score for score in plan.scores if score["decides"])
    return scores[score["name"]] * (-1 if score["better"] == "higher" else 1)


def curve_point(plan: Plan, number: int, step: int, draws: np.random.Generator) -> dict[str, Any]:
    """Curves that decay from each score's start to its goal, faster and nearer for some variants, with noise."""
    images = 5_120_000 * step // CURVE
    left = math.exp(-step / CURVE * (2.5 + number)) + LEFT[number % len(LEFT)]
    scores = {}
    for score in plan.scores:
        kind = score["name"].removesuffix(f"_{EXTRACTOR}")
        start, goal = STARTS[kind], GOALS[kind]
        value = goal + (start - goal) * min(1.0, left * math.exp(draws.normal(0, 0.18)))
        scores[score["name"]] = float(round(value)) if kind == "modes" else float(value)
    seconds = images / (3000 - 420 * number) * math.exp(draws.normal(0, 0.03))
    return {"step": images // 64, "images": images, "seconds": seconds, "scores": scores}


def rescored(point: Mapping[str, Any], draws: np.random.Generator) -> dict[str, Any]:
    """The scores of a checkpoint, measured again on other latents."""
    made = {}
    for name, value in point["scores"].items():
        deviation = abs(value) * 0.02
        again = value if name == "modes" else value + float(draws.normal(0, deviation))
        interval = [again - 1.96 * deviation, again + 1.96 * deviation]
        made[name] = {"value": again, "deviation": deviation, "interval": interval, "step": point["step"]}
    return made


def losses(points: int, number: int, draws: np.random.Generator, state: str) -> list[dict[str, Any]]:
    count = LOSSES * points // CURVE
    made = []
    for index in range(1, count + 1):
        images = 5_120_000 * index // LOSSES
        pair = (1.38 - 0.1 * number + 0.5 / index, 0.7 + 0.15 * number + index / LOSSES)
        one, other = (float(value + draws.normal(0, 0.08)) for value in pair)
        made.append(
            {
                "step": images // 64,
                "images": images,
                "seconds": images / (3000 - 420 * number),
                "discriminator_loss": one,
                "generator_loss": other,
            }
        )
    if state == "diverged" and made:
        made[-1]["generator_loss"] = float("nan")
    return made


def cost(number: int, points: int, draws: np.random.Generator) -> dict[str, Any]:
    speed = (3000 - 420 * number) * math.exp(draws.normal(0, 0.03))
    images = 5_120_000 * points // CURVE
    return {
        "steps": images // 64,
        "images": images,
        "seconds": images / speed,
        "images_per_second": speed,
        "peak_memory": int((600 + 90 * number) * 2**20 * math.exp(draws.normal(0, 0.02))),
        "peak_device_memory": None,
        "generator_parameters": 18_306 + 4096 * number,
        "discriminator_parameters": 17_025 + 2048 * number,
    }


def picture(plan: Plan, number: int, dataset: str, path: str, draws: np.random.Generator) -> str | None:
    if plan.folder is None:
        return None
    name = f"{path}/samples/step-00080000.png"
    target = plan.folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    save_picture(drawn_points(number, draws) if plan.of_points else drawn_garments(number, draws), target)
    return name


def drawn_points(number: int, draws: np.random.Generator) -> Any:
    angles = np.arange(8) * np.pi / 4
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    real = centres[draws.integers(0, 8, 600)] + draws.normal(0, 0.02, (600, 2))
    made = centres[draws.integers(0, 4 + number, 600) % 8] + draws.normal(0, 0.12 - 0.02 * number, (600, 2))
    return scatter(made, real)


def drawn_garments(number: int, draws: np.random.Generator) -> Any:
    images = np.frombuffer(gzip.decompress(GARMENTS.read_bytes())[16:], np.uint8).reshape(-1, 28, 28, 1)
    chosen = images[np.arange(64) * 7].astype("float64") + draws.normal(0, 60 - 12 * number, (64, 28, 28, 1))
    return grid(np.clip(chosen, 0, 255).astype(np.uint8))


def recipe(number: int) -> dict[str, dict[str, Any]]:
    return {
        "batch_size": {"value": 64, "source": "dcgan (paper)"},
        "latent_size": {"value": 100, "source": "dcgan (paper)"},
        "width": {"value": 32, "source": "registry.yaml:43"},
        "critic_steps": {"value": 5 if number == 3 else 1, "source": "plugins/wgan_gp.py:18" if number == 3 else "zoo"},
        "generator_learning_rate": {"value": 1e-3 / (1 + number % 2), "source": f"registry.yaml:{40 + number}"},
        "discriminator_learning_rate": {"value": 1e-3 / (1 + number % 2), "source": f"registry.yaml:{50 + number}"},
        "adam_beta_1": {"value": 0.5, "source": "dcgan (paper)"},
        "adam_beta_2": {"value": 0.999, "source": "zoo"},
        "average_decay": {"value": 0.999, "source": "registry.yaml:46"},
        **({"r1_gamma": {"value": 1.0, "source": "--set"}} if number == 4 else {}),
    }


def ranked(cells: Sequence[Mapping[str, Any]], dataset: str, score: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """The actual statistics of the synthetic runs that have ended."""
    groups: dict[str, list[float | None]] = {}
    for cell in cells:
        if cell["dataset"] == dataset and cell["state"] not in ("waiting", "running"):
            value = cell[stage][score["name"]]["value"] if cell[stage] else None
            groups.setdefault(cell["label"], []).append(value)
    found = ranking(groups, score["better"])
    differences = [{**asdict(each), "sentence": each.sentence} for each in found.differences]
    return {**asdict(found), "differences": differences}


def protocol(plan: Plan, number: int) -> dict[str, Any]:
    return {
        "extractor": None
        if plan.of_points
        else {"name": EXTRACTOR, "sha256": "57934424" * 8, "preparation": "bicubic to 224 px"},
        "real": {
            "dataset": plan.datasets[0],
            "source": "embedded",
            "split": "test",
            "fingerprint": "90ea58371aee" * 5,
            "count": 2000,
            "sample_shape": [28, 28, 1],
        },
        "generated": {"count": 2500, "weights": "averaged where kept", "averaged": True, "batch_norm": "inference"},
        "settings": {"subsets": 100, "subset_size": 1000} if number == 0 else {"neighbours": number},
        "seed": 0,
    }
