"""A run's generator or discriminator in the formats of other programs, with the averaged weights and metadata."""

import importlib.util
import json
import shutil
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from zoo.base.files import WRITING, file_hash, write_json
from zoo.errors import ZooError, ZooWarning, unknown
from zoo.layers.fixed_noise import with_fixed_noise
from zoo.layers.stock import foreign_layers, in_stock_layers, kinds_of
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
CAN_NOT_DRAW = (ONNX, LITERT, HTML)
DRAWN, OPEN, FIXED = "drawn", "drawn by model(inputs), left out by predict and training=False", "fixed, seed 0"
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


@dataclass(frozen=True)
class Exported:
    """A model as it is written."""

    model: keras.Model  # with named inputs and one output, in float32
    averaged: bool = False  # whether its weights are averages
    noise: str | None = None  # how it comes to the noise that its generator draws in inference


def export(run: "Run", wanted: Export, out: Path | None = None) -> Path:
    """Write a model of the run's last checkpoint, with any number of rows in a batch; returns where.

    A generator has the averaged weights, computes in float32, and answers images in [-1, 1] or uint8, or points in
    scaled units. Raises ZooError where a converter is missing, or a format can't hold what the model does.
    """
    wanted.check_installed()
    path = out or run.directory.outputs / "exports" / f"{wanted.model}{ENDINGS[wanted.format]}"
    check_path(path, wanted.format)
    if wanted.format == HTML:
        html_export.check_shown(run)
    state, _ = run.directory.last_checkpoint()
    exported = exported_model(run, wanted, state)
    model = exported.model
    if wanted.format in CAN_NOT_DRAW and varies(model):
        raise ZooError(
            f"The {wanted.model} of '{run.record['stack']}' draws noise in inference, too, which {wanted.format} can't "
            "hold: --format saved_model."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = run.directory.checkpoints.path(int(state["steps"]))
    described = description(run, wanted, checkpoint, exported)
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
    for told in remarks(path, wanted, exported):
        warnings.warn(told, ZooWarning, stacklevel=2)
    return path


def remarks(path: Path, wanted: Export, exported: Exported) -> list[str]:
    """What a user of the file would not expect, a sentence each."""
    told = []
    if wanted.format in (ONNX, LITERT) and exported.noise == FIXED:
        told.append(f"{wanted.format} can't draw: the generator's noise is fixed to that of seed 0 in {path}.")
    if wanted.format == KERAS and exported.noise == OPEN:
        told.append(f"The generator of {path} draws noise in model(inputs); predict and training=False leave it out.")
    foreign = kinds_of(foreign_layers(exported.model)) if wanted.format == KERAS else []
    if foreign:
        told.append(
            f"{path} holds layers that plain Keras does not know: {', '.join(foreign)}. Before keras.saving.load_model "
            "import zoo.layers, and a plugin's file for its own; --format saved_model needs neither."
        )
    return told


def check_path(path: Path, kind: str) -> None:
    """Raise ZooError for another ending, and where something else than an earlier export would be replaced."""
    if path.suffix != ENDINGS[kind] and kind != SAVED_MODEL:
        raise ZooError(f"A file of the format {kind} ends in {ENDINGS[kind]}; received {path}.")
    if path.is_dir() != (kind == SAVED_MODEL) and path.exists():
        raise ZooError(f"{path} is a {'folder' if path.is_dir() else 'file'}. Choose another place with --out.")
    if path.is_dir() and any(path.iterdir()) and not (path / METADATA).is_file():
        raise ZooError(f"{path} holds something else than an export. Choose another folder with --out.")


def exported_model(run: "Run", wanted: Export, state: State) -> Exported:
    """The model that is exported."""
    record = {**run.record, "precision": "float32"}
    if wanted.model == "discriminator":
        judge = in_stock_layers(load_discriminator(run.stack, record, state), nullcontext())
        return Exported(named(judge, SAMPLES, LOGITS, LOGITS))
    sampler = load_sampler(run.stack, record, state, run.rows)
    with sampler.averaged() as scope:
        found = [(each, scope.get_current_value(each)) for each in sampler.generator.variables]
        values = [(each, ops.convert_to_numpy(each.value if value is None else value)) for each, value in found]
    for variable, value in values:
        variable.assign(value)
    inner, noise = sampler.generator, None
    if sampler.generating.has_noise:
        noise = FIXED if wanted.format in CAN_NOT_DRAW else OPEN if wanted.format == KERAS else DRAWN
    if noise == FIXED:
        inner = with_fixed_noise(inner, sampler.noise_seeds(0, 0))
    inner = in_stock_layers(inner, nullcontext(), has_noise=wanted.format == KERAS)
    pixels = wanted.uint8 and sampler.samples_field.is_image
    model = named(inner, LATENTS, SAMPLES, SAMPLES, pixels, training=None if noise == OPEN else False)
    return Exported(model, bool(sampler.average), noise)


def named(
    inner: keras.Model, alone: str, output: str, name: str, pixels: bool = False, training: bool | None = False
) -> keras.Model:
    """A model of the same inputs under their names, whose one output is in inference what that of `inner` is.

    Where `training` is None it has the mode in which the model is called.
    """
    inputs = {
        each: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=each)
        for each, tensor in inputs_of(inner, alone).items()
    }
    answer = called(inner, inputs, alone, training=training)
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


def description(run: "Run", wanted: Export, checkpoint: Path, exported: Exported) -> dict[str, Any]:
    """What a user of the file has to know, JSON-ready."""
    model = exported.model
    is_image, labels = run.fields[SAMPLES].is_image, run.fields.get(LABELS)
    generator_range = ([0, 255] if wanted.uint8 else [-1, 1]) if is_image else None
    return {
        "run": run.directory.name or run.path.name,
        "stack": run.record["stack"],
        "dataset": run.record["dataset"]["name"],
        "model": wanted.model,
        "checkpoint": checkpoint.name,
        "checkpoint_sha256": file_hash(checkpoint),
        "averaged": exported.averaged,
        "noise": exported.noise,
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
