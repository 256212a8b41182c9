"""The card of a shared run, from run.yaml and evaluation.json: metadata that hubs index, then text."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoo.catalogue import dump_document, read_catalogue
from zoo.recipe import as_text

Record = Mapping[str, Any]
KIND = {"image": "unconditional-image-generation", "translation": "image-to-image"}
INTERVAL = "95%"


def card(
    record: Record,
    evaluations: Sequence[Record],
    notes: Record,
    license: str | None,
    measured_here: bool,
    address: str,
) -> str:
    """README.md of a run that is shared at an address, or in a folder of that name."""
    name, steps = title(record), notes["steps"]
    return "\n".join(
        [
            f"---\n{dump_document(metadata(record, evaluations, license)).rstrip()}\n---\n",
            f"# {name}\n",
            f"{summary_of(record, evaluations, steps)}.\n",
            *([f"![64 samples of {name}, none picked](samples.png)\n"] if has_samples(record) else []),
            f"    pip install 'gan-zoo[cpu]'\n    zoo sample {address}\n    zoo evaluate {address}\n",
            "## Scores\n",
            *score_lines(evaluations, measured_here),
            "\n## How it was made\n",
            f"    {command(record, steps)}\n",
            f"Again from this folder: `zoo run --config run.yaml --steps {steps} --out again`. run.yaml holds the "
            f"whole recipe; it began {record.get('began', 'at an unknown time')}.\n",
            "| recipe | value |\n|---|---|",
            *(f"| {field} | {as_text(value)} |" for field, value in set_values(record)),
            "\n## Data and licences\n",
            *licences(record, license),
            "\n## Limits\n",
            f"The weights are kept in {notes['precision']}. The model makes what its data show, with their biases and "
            "gaps, and may repeat training images. Nothing is promised of any use beyond research and teaching.\n",
        ]
    )


def title(record: Record) -> str:
    """`dcgan on fashion_mini`."""
    return f"{record['stack']} on {record['dataset']['name']}"


def summary_of(record: Record, evaluations: Sequence[Record], steps: int) -> str:
    """One line: what it makes, after how many images, with its first score."""
    shape = " x ".join(str(each) for each in record["dataset"]["sample_shape"])
    recipe = record["recipe"]
    images = steps * recipe["batch_size"] * recipe.get("critic_steps", 1)
    scores = list(latest_scores(evaluations).values())
    scored = f", {scores[0]['name']} {scores[0]['value']:.4g}" if scores else ", not scored"
    return f"{title(record)}: {shape}, after {images:,} real images{scored}"


def latest_scores(evaluations: Sequence[Record]) -> dict[str, Record]:
    """The last score of each name; those of final evaluations before those while it trained."""
    chosen = [each for each in evaluations if not each["periodic"]] or list(evaluations)
    return {score["name"]: score for each in chosen for score in each["scores"]}


def has_samples(record: Record) -> bool:
    """Whether samples need no data, so that the folder holds some."""
    return "source" not in record.get("inputs", ())


def metadata(record: Record, evaluations: Sequence[Record], license: str | None) -> dict[str, Any]:
    """The card's metadata as the Hugging Face hub reads it."""
    scores = latest_scores(evaluations)
    is_image = record.get("fields", {}).get("samples", {}).get("kind") == "image"
    kind = KIND["image" if has_samples(record) else "translation"] if is_image else "other"
    dataset = record["dataset"]["name"]
    found: dict[str, Any] = {
        "library_name": "gan-zoo",
        "tags": ["gan", "generative-adversarial-network", "keras", *(each["name"] for each in record["plugins"])],
        **({"pipeline_tag": kind} if is_image else {}),
        **({"license": license} if license else {}),
        "datasets": [dataset],
    }
    if scores:
        found["metrics"] = list(scores)
        found["model-index"] = [
            {"name": title(record), "results": [result_of(kind, dataset, score) for score in scores.values()]}
        ]
    return found


def result_of(kind: str, dataset: str, score: Record) -> dict[str, Any]:
    """One score with its protocol, as the hub's model index has it."""
    real = score["protocol"]["real"]
    about = {"name": real.get("dataset", dataset), "type": real.get("dataset", dataset), "split": real.get("split", "")}
    metric = {"type": score["name"], "value": score["value"], "name": score["name"], "args": protocol(score)}
    return {"task": {"type": kind}, "dataset": about, "metrics": [metric]}


def protocol(score: Record) -> dict[str, Any]:
    """What a reader needs to know of how a score was measured."""
    about = score["protocol"]
    extractor = about.get("extractor") or {}  # none where pixels or points are compared
    found = {
        "extractor": extractor.get("name"),
        "extractor_sha256": extractor.get("sha256"),
        "generated": about["generated"].get("count"),
        "real": about["real"].get("count"),
        "seed": about.get("seed"),
    }
    return {name: value for name, value in found.items() if value is not None}


def score_lines(evaluations: Sequence[Record], measured_here: bool) -> Iterator[str]:
    """The table of scores with their protocol."""
    scores = latest_scores(evaluations)
    if not scores:
        yield "None was measured."
        return
    yield f"| score | value | {INTERVAL} interval | better | extractor | generated | real |"
    yield "|---|---|---|---|---|---|---|"
    for name, score in scores.items():
        interval = score.get("interval")
        between = f"{interval[0]:.4g} to {interval[1]:.4g}" if interval else ""
        about, real = protocol(score), score["protocol"]["real"]
        where = f"{about.get('real', '')} of {real.get('dataset', 'files')}, {real.get('split', '')}"
        yield (
            f"| {name} | {score['value']:.4g} | {between} | {score['better']} | {about.get('extractor', 'none')} | "
            f"{about.get('generated', '')} | {where} |"
        )
    of = "these weights" if measured_here else "the run's weights before they were rounded to half precision"
    at = evaluations[-1]["evaluated"]
    yield f"\nMeasured with {of}, {at}; evaluation.json holds the whole protocol."


def command(record: Record, steps: int) -> str:
    """The command that trained the run."""
    typed = [name for name, source in record["recipe_sources"].items() if source == "--set"]
    words = ["zoo", "run", record["stack"], "--dataset", str(record["dataset"]["name"]), "--seed", str(record["seed"])]
    words += [word for name in typed for word in ("--set", f"{name}={as_text(record['recipe'][name])}")]
    words += [word for each in record["plugins"] if "sha256" in each for word in ("--plugin", f"{each['name']}.py")]
    return shlex.join([*words, "--steps", str(steps)])


def set_values(record: Record) -> Iterator[tuple[str, Any]]:
    """The recipe's values that are not the zoo's defaults."""
    for name, value in record["recipe"].items():
        if record["recipe_sources"].get(name) != "zoo default":
            yield name, value


def licences(record: Record, license: str | None) -> Iterator[str]:
    """What is known of the licences of weights and data, and what is not."""
    dataset = record["dataset"]
    entry = read_catalogue().datasets.get(str(dataset["name"]))
    yield f"- Weights: {license or 'no licence was stated'}."
    yield (
        f"- Data: {dataset['name']}, {dataset['count']:,} samples of {dataset['split']} "
        f"({dataset['description'].get('source', 'no source was recorded')}); licence: "
        f"{(entry.license if entry else '') or 'not stated here, ask their owner'}."
    )
    yield f"- Fingerprint of the data: {dataset['fingerprint']}."
