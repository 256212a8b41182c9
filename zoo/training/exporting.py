"""A run's generator or discriminator in the formats of other programs, with the averaged weights and metadata."""

import importlib.util
import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from zoo.base.files import WRITING, file_hash, write_json
from zoo.errors import ZooError, unknown
from zoo.layers.fixed_noise import with_fixed_noise
from zoo.layers.stock import in_stock_layers
from zoo.networks import called, inputs_of
from zoo.runs.checkpoints import State
from zoo.training import html_export
from zoo.training.loading import load_discriminator, load_sampler
from zoo.training.names import LABELS, LATENTS, LOGITS, SAMPLES

if TYPE_CHECKING:
    from zoo.training.run import Run

SAVED_MODEL, ONNX, LITERT, KERAS, HTML = FORMATS = ("saved_model", "onnx", "litert", "keras", "html")
MODELS = ("generator", "discriminator")
ENDINGS = {ONNX: ".onnx", LITERT: ".tflite", KERAS: ".keras", HTML: ".html", SAVED_MODEL: ""}
CONVERTERS = dict.fromkeys(
    (ONNX, HTML), ("tf2onnx", "onnx")
)  # that a format needs beside TensorFlow, of the extra `onnx`
METADATA = "metadata.json"  # in the folder of a SavedModel; beside other files it is FILE.json


@dataclass(frozen=True)
class Export:
    """What is written, and how."""

    format: str = SAVED_MODEL
    model: str = "generator"
    uint8: bool = False  # images as pixels from 0 to 255, in place of floats in [-1, 1]

    def __post_init__(self) -> None:
        """Refuse names that nobody knows, and pixels of a discriminator."""
        for name, value, known in (("format", self.format, FORMATS), ("model", self.model, MODELS)):
            if value not in known:
                raise unknown(name, value, known)
        if self.uint8 and self.model != "generator":
            raise ZooError("A discriminator answers logits: --output uint8 is for generators.")
        if self.format == HTML and (self.uint8 or self.model != "generator"):
            raise ZooError("--format html is a page that shows a generator's images: without --output and --model.")

    def check_installed(self) -> None:
        """Raise ZooError, in one sentence, where something that the format needs is missing."""
        missing = [each for each in CONVERTERS.get(self.format, ()) if importlib.util.find_spec(each) is None]
        if missing:
            raise ZooError(f"--format {self.format} needs {' and '.join(missing)}: pip install 'gan-zoo[onnx]'.")
        if self.format != KERAS and keras.backend.backend() != "tensorflow":
            raise ZooError(
                f"--format {self.format} is made by TensorFlow; this process computes on {keras.backend.backend()}: "
                f"KERAS_BACKEND=tensorflow zoo export RUN --format {self.format}; the run may come from either."
            )


def export(run: "Run", wanted: Export, out: Path | None = None) -> Path:
    """Write a model of the run's last checkpoint, with any number of rows in a batch; returns where.

    A generator has the averaged weights, computes in float32, and answers images in [-1, 1] or uint8, or points in
    scaled units. Raises ZooError where a converter is missing, or a format can't hold what the model does.
    """
    wanted.check_installed()
    path = out or run.directory.outputs / "exports" / f"{wanted.model}{ENDINGS[wanted.format]}"
    if path.suffix != ENDINGS[wanted.format] and wanted.format != SAVED_MODEL:
        raise ZooError(f"A file of the format {wanted.format} ends in {ENDINGS[wanted.format]}; received {path}.")
    check_replaceable(path, wanted.format)
    if wanted.format == HTML:
        html_export.check_shown(run)
    state, _ = run.directory.last_checkpoint()
    model, is_averaged = exported_model(run, wanted, state)
    if wanted.format in (ONNX, LITERT, HTML) and varies(model):
        raise ZooError(
            f"The {wanted.model} of '{run.record['stack']}' draws noise in inference, too, which {wanted.format} can't "
            "hold: --format saved_model."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = run.directory.checkpoints.path(int(state["steps"]))
    described = description(run, wanted, checkpoint, model, is_averaged)
    temporary = path.with_name(f"{WRITING}{path.stem}{ENDINGS[wanted.format]}")
    try:
        with warnings.catch_warnings(action="ignore"):  # the converters', of their own insides
            write(model, ONNX if wanted.format == HTML else wanted.format, temporary, described)
        if wanted.format == HTML:
            html_export.write_page(run, model, temporary.read_bytes(), temporary)
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        temporary.unlink(missing_ok=True)
    if wanted.format != SAVED_MODEL:
        write_json(path.with_name(f"{path.name}.json"), described)
    return path


def check_replaceable(path: Path, kind: str) -> None:
    """Raise ZooError where something else than an earlier export would be replaced."""
    if path.is_dir() != (kind == SAVED_MODEL) and path.exists():
        raise ZooError(f"{path} is a {'folder' if path.is_dir() else 'file'}. Choose another place with --out.")
    if path.is_dir() and any(path.iterdir()) and not (path / METADATA).is_file():
        raise ZooError(f"{path} holds something else than an export. Choose another folder with --out.")


def exported_model(run: "Run", wanted: Export, state: State) -> tuple[keras.Model, bool]:
    """The model with named inputs and the one output that is exported, in float32; whether its weights are averages."""
    record = {**run.record, "precision": "float32"}
    if wanted.model == "discriminator":
        inner = load_discriminator(run.stack, record, state)
        return named(inner, SAMPLES, LOGITS, LOGITS), False
    sampler = load_sampler(run.stack, record, state, run.rows)
    with sampler.averaged() as scope:
        found = [(each, scope.get_current_value(each)) for each in sampler.generator.variables]
        values = [(each, ops.convert_to_numpy(each.value if value is None else value)) for each, value in found]
    for variable, value in values:
        variable.assign(value)
    inner = in_stock_layers(sampler.generator, sampler.averaged())
    if wanted.format == HTML and sampler.generating.has_noise:
        inner = with_fixed_noise(inner, sampler.noise_seeds(0, 0))
    pixels = wanted.uint8 and sampler.samples_field.is_image
    return named(inner, LATENTS, SAMPLES, SAMPLES, pixels), bool(sampler.average)


def named(inner: keras.Model, alone: str, output: str, name: str, pixels: bool = False) -> keras.Model:
    """A model of the same inputs under their names, whose one output is in inference what that of `inner` is."""
    inputs = {
        each: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=each)
        for each, tensor in inputs_of(inner, alone).items()
    }
    answer = called(inner, inputs, alone, training=False)
    made = answer[output] if isinstance(answer, Mapping) else answer
    if pixels:
        made = ops.cast(ops.clip(ops.round((made + 1.0) * 127.5), 0, 255), "uint8")
    return keras.Model(inputs if len(inputs) > 1 else next(iter(inputs.values())), made, name=name)


def varies(model: keras.Model) -> bool:
    """Whether the model answers otherwise when it is asked the same again: a layer draws in inference, too."""
    draw = np.random.default_rng(0)
    one = {name: draw.normal(size=(2, *each.shape[1:])) for name, each in inputs_of(model, LATENTS).items()}
    named = {
        name: ops.cast(ops.convert_to_tensor(one[name]), each.dtype) for name, each in inputs_of(model, LATENTS).items()
    }
    given = named if isinstance(model.input, dict) else next(iter(named.values()))
    first, again = (ops.convert_to_numpy(model(given, training=False)) for _ in range(2))
    return bool((first != again).any())


def description(run: "Run", wanted: Export, checkpoint: Path, model: keras.Model, is_averaged: bool) -> dict[str, Any]:
    """What a user of the file has to know, JSON-ready."""
    is_image, labels = run.fields[SAMPLES].is_image, run.fields.get(LABELS)
    generator_range = ([0, 255] if wanted.uint8 else [-1, 1]) if is_image else None
    return {
        "run": run.directory.name or run.path.name,
        "stack": run.record["stack"],
        "dataset": run.record["dataset"]["name"],
        "model": wanted.model,
        "checkpoint": checkpoint.name,
        "checkpoint_sha256": file_hash(checkpoint),
        "averaged": is_averaged,
        "inputs": {
            name: {"shape": [None, *tensor.shape[1:]], "dtype": tensor.dtype}
            for name, tensor in inputs_of(model, LATENTS if wanted.model == "generator" else SAMPLES).items()
        },
        "output": {"shape": [None, *model.output.shape[1:]], "dtype": model.output.dtype},
        "range": generator_range if wanted.model == "generator" else "logits: larger is more real",
        "input_range": [-1, 1] if wanted.model == "discriminator" and is_image else None,
        "scale": run.fields[SAMPLES].scale,
        "classes": list(labels.class_names) if labels else [],
        "recipe": run.record["recipe"],
        "versions": run.record.get("versions", {}),
    }


def write(model: keras.Model, kind: str, path: Path, described: Mapping[str, Any]) -> None:
    """Write the model, and into what can hold it the description."""
    if kind == KERAS:
        model.save(path)
        return
    names = {SAVED_MODEL: "tf_saved_model", ONNX: "onnx", LITERT: "litert"}
    try:
        model.export(str(path), format=names[kind], verbose=False)
    except Exception as error:  # converters raise dozens of kinds
        raise ZooError(f"The model can't be converted to {kind}: {str(error).splitlines()[0]}.") from error
    if kind == SAVED_MODEL:
        write_json(path / METADATA, described)
    elif kind == ONNX:
        import onnx

        proto = onnx.load(str(path))
        onnx.helper.set_model_props(proto, {name: json.dumps(each) for name, each in described.items()})
        onnx.save(proto, str(path))
