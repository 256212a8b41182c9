"""A generator as one HTML file that computes in any browser, offline: its weights and a runtime are inside.

The runtime is ONNX Runtime Web, which comes with the zoo (`page/SOURCE.md`). Browsers fetch nothing for a page that is
opened as a file, so that its WebAssembly is handed over as bytes, and its code imported from a blob.
"""

import gzip
import json
import lzma
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from zoo.base.names import short_name
from zoo.errors import ZooError
from zoo.networks import TRUNCATION, inputs_of
from zoo.training.directions import REACH, found_directions
from zoo.training.drawing import of_seeds
from zoo.training.latents import attribute_names, by_name, class_names
from zoo.training.names import LABELS, LATENTS, SAMPLES, TARGETS
from zoo.training.sampler import Sampler

if TYPE_CHECKING:
    from zoo.training.run import Run

PAGE = Path(__file__).with_name("page")
RUNTIME, BINARY, VERSION = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm.xz", "1.30.0"
SEEDS = 64  # whose latents are inside, those of `zoo sample --seeds`
LEVELS = (None, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)  # truncations, of a generator that heeds them
EXAMPLES = 16  # rows of the test data that a translation begins with
WHITE = 1.0


def write_page(run: "Run", model: keras.Model, onnx: bytes, path: Path) -> None:
    """Write the page of a run's generator, `model` being what `onnx` holds."""
    from jinja2 import Environment

    sampler = run.sampler
    about, arrays = translated(run, sampler, model) if sampler.generating.reads_batch else drawn(run, sampler, model)
    record = run.record
    shape = " x ".join(str(each) for each in record["dataset"]["sample_shape"])
    title = f"{record['stack']} on {short_name(str(record['dataset']['name']))}"
    holes = {
        "summary": f"A generative adversarial network, which makes images of {shape}.",
        "origin": f"Written by gan-zoo of {title}, after {int(run.directory.last_checkpoint()[0]['steps']):,} steps.",
        "about": safe_json(about),
        "model": packed(onnx),
        "arrays": packed(arrays.astype("<f4").tobytes()),
        "runtime": packed((PAGE / RUNTIME).read_bytes()),
        "binary": packed(lzma.decompress((PAGE / BINARY).read_bytes())),
        "license": (PAGE / "LICENSE").read_text(encoding="utf-8"),
        "program": "\n".join((PAGE / name).read_text(encoding="utf-8") for name in ("pad.js", "page.js")),
        "runtime_version": VERSION,
    }
    from markupsafe import Markup, escape

    raw = ("about", "model", "arrays", "runtime", "binary", "license", "program")
    values = {name: Markup(each) if name in raw else escape(each) for name, each in holes.items()}
    template = Environment(autoescape=True).from_string((PAGE / "page.html").read_text(encoding="utf-8"))
    path.write_text(template.render(values, title=title), encoding="utf-8")


def packed(content: bytes) -> str:
    """Bytes as text that a browser unpacks."""
    return b64encode(gzip.compress(content, 9, mtime=0)).decode()


def safe_json(value: Any) -> str:
    """JSON that ends no element of HTML, whatever names it holds."""
    return json.dumps(value).replace("<", "\\u003c")


def inputs_described(sampler: Sampler, model: keras.Model) -> dict[str, dict[str, Any]]:
    """Shape, type and role of each input of the model, by name."""
    fields, walked = sampler.generating.fields, set[str]()
    if not sampler.needs_rows:
        drawn_inputs = by_name(sampler.latents(1, 0))
        walked = {name for name in sampler.walked(drawn_inputs) if name != TRUNCATION}
    roles = {LABELS: "class", TARGETS: "attributes", LATENTS: "latents", TRUNCATION: "truncation"}
    return {
        name: {
            "shape": list(tensor.shape[1:]),
            "dtype": tensor.dtype,
            "role": roles.get(name, "image" if name in fields and fields[name].is_image else "other"),
            "walked": name in walked,
        }
        for name, tensor in inputs_of(model, LATENTS).items()
    }


def drawn(run: "Run", sampler: Sampler, model: keras.Model) -> tuple[dict[str, Any], np.ndarray]:
    """What the page of a generator of latents knows, and its numbers in a row."""
    name, directions = found_directions(sampler, run.data.at_hand())
    parts, places, length = list[np.ndarray](), dict[bytes, int](), 0
    drawn_at = []
    for level in LEVELS if sampler.can_truncate else LEVELS[:1]:
        inputs = by_name(of_seeds(sampler, range(SEEDS), truncation=level))
        found = {}
        for each, tensor in inputs.items():
            flat = np.asarray(ops.convert_to_numpy(tensor), "<f4").ravel()
            if flat.tobytes() not in places:  # latents that no truncation changes are there once
                places[flat.tobytes()] = length
                parts.append(flat)
                length += len(flat)
            found[each] = places[flat.tobytes()]
        drawn_at.append(found)
    about = {
        "inputs": inputs_described(sampler, model),
        "output": list(sampler.samples_field.shape),
        "classes": class_names(sampler.generating),
        "attributes": [],
        "seeds": SEEDS,
        "levels": list(LEVELS if sampler.can_truncate else LEVELS[:1]),
        "drawn": drawn_at,
        "latents": name,
        "directions": list(directions),
        "direction_start": length,
        "reach": 2 * REACH,
    }
    return about, np.concatenate([*parts, *(np.asarray(each, "<f4") for each in directions.values())])


def translated(run: "Run", sampler: Sampler, model: keras.Model) -> tuple[dict[str, Any], np.ndarray]:
    """What the page of a generator that translates knows, and its examples in a row."""
    from zoo.training.translating import directions

    start, fields = directions(sampler)[SAMPLES].start, sampler.generating.fields
    examples, made_of = np.zeros((0, *fields[start].shape), "<f4"), None
    if run.data.at_hand() is not None:
        batch = sampler.batch(np.arange(min(EXAMPLES, run.held_out.count)), 0)
        examples, made_of = np.asarray(ops.convert_to_numpy(batch[start]), "<f4"), run.held_out.split
    attributes = list(attribute_names(sampler.generating))
    described = inputs_described(sampler, model)
    if TARGETS in described and not attributes:
        attributes = [str(number) for number in range(described[TARGETS]["shape"][0])]
    about = {
        "inputs": described,
        "output": list(sampler.samples_field.shape),
        "classes": class_names(sampler.generating),
        "attributes": attributes,
        "given": start,
        "examples": len(examples),
        "examples_of": made_of,  # the split of the data
        "ground": -WHITE if len(examples) and np.median(examples) < 0 else WHITE,  # of an empty drawing
    }
    return about, examples.ravel()


def check_shown(run: "Run") -> None:
    """Raise ZooError where samples are no images, or a generator of latents is given data, too."""
    sampler = run.sampler
    if not sampler.samples_field.is_image:
        raise ZooError("A page shows images, and this run makes points: --format onnx.")
    if sampler.needs_rows and not sampler.generating.reads_batch:
        raise ZooError(
            f"The latents of '{run.record['stack']}' are drawn of data, which a page has not: --format onnx."
        )
