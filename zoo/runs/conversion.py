"""What run.yaml of an earlier version says, in today's words, so that runs made before continue and load."""

from collections.abc import Mapping
from typing import Any

SHIPPED = "zoo_plugins."  # the modules of plugins that came with the zoo, none of which was conditional then


def converted(record: dict[str, Any]) -> dict[str, Any]:
    """A run's record as this version writes it."""
    if "fields" in record or "dataset" not in record:
        return record
    since = {"fields": earlier_fields(record["dataset"]), "frozen_networks": {}}
    return {**record, **since, "recipe": earlier_recipe(record)}


def earlier_fields(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataset that had samples and perhaps labels; the names of its classes were not kept.

    Written out, as today's rule may change and what those versions meant may not.
    """
    shape, classes = list(dataset["sample_shape"]), dataset.get("classes")
    kind = "image" if len(shape) == 3 else "points"
    samples = {"kind": kind, "shape": shape, "scale": dataset.get("scale", 1.0)}
    if not classes:
        return {"samples": samples}
    return {"samples": samples, "labels": {"kind": "label", "shape": [], "frequencies": [1 / classes] * classes}}


def earlier_recipe(record: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe with what a run did that is not today's default: it drew the labels of a conditional generator evenly.

    Where no label was drawn, either choice says the same.
    """
    shipped = all(str(each.get("module", "")).startswith(SHIPPED) for each in record.get("plugins", []))
    return {**({} if shipped else {"fake_labels": "uniform"}), **record.get("recipe", {})}
