"""A run's networks explained: where its discriminator looks, and which latent directions change its samples most."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.base.files import write_json
from zoo.base.progress import Progress, as_progress
from zoo.diagnosis.of_run import trainer_of
from zoo.errors import ZooError
from zoo.training.run import load

if TYPE_CHECKING:
    import numpy as np

    from zoo.training.trainer import Trainer

FOLDER = "explanation"  # of the run directory
COUNT = 8  # real and generated samples that are explained, and latents whose Jacobian is measured
DRAWN = 1000  # latents that principal components and labels are taken from
COMPONENTS = 3  # directions of each kind
FRAMES, REACH = 9, 3.0  # samples of a strip, and how far it goes to either side
WINDOWS = 7  # windows that fit into an image's side
MOST_CLASSES = 10  # whose directions are shown
ACTIVATIONS = ("ReLU", "LeakyReLU", "Activation", "ELU", "PReLU")


def explain(
    path: Path | str,
    *,
    dataset: str | None = None,
    data_dir: Path | str | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Say where a run's discriminator looks, and where its generator's latents lead.

    Writes explanation.json and pictures into the folder `out` (`explanation` in the run directory): `looks.png`, in
    each row a real and a generated image (the image, its input gradient, its integrated gradients, occlusion), and
    `directions.png`, a strip for each direction. Returns the figures, JSON-ready. Raises ZooError where the
    discriminator takes more than samples, or the generator more than latents.
    """
    run = load(path, dataset)
    shown = as_progress(progress)
    backend.prepare()
    with backend.fixed():
        trainer = trainer_of(run, data_dir, shown)
        latest = run.directory.checkpoints.latest()
        if latest is None:
            raise ZooError(f"The run {run.path} has no checkpoint yet. Continue it with zoo run.")
        trainer.set_state(latest[0])
        check_alone(trainer)
        folder = Path(out) if out else run.path / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        found = {"run": str(run.path), "folder": str(folder), "step": trainer.steps, **explained(trainer, seed, folder)}
    write_json(folder / "explanation.json", found)
    return found


def check_alone(trainer: "Trainer") -> None:
    """Refuse networks that can't be looked at by samples and latents alone."""
    players = trainer.players
    inputs = {"discriminator": (players.judged, ("samples",)), "generator": (players.generating.given, ("latents",))}
    for player, (given, alone) in inputs.items():
        if tuple(given) != alone:
            raise ZooError(f"The {player} takes {', '.join(given)}; one that takes {alone[0]} alone can be explained.")
    if tuple(players.discriminator.input_shape[1:]) != tuple(trainer.dataset.sample_shape):
        raise ZooError("The discriminator judges other shapes than samples have, such as packs: it can't be explained.")


def explained(trainer: "Trainer", seed: int, folder: Path) -> dict[str, Any]:
    """Figures of both players; writes the pictures."""
    import numpy as np

    from zoo.diagnosis import insight

    latents = np.asarray(trainer.sampler.latents(DRAWN, seed), "float32")
    made = trainer.sampler.samples(latents, seed)
    matrices = [insight.jacobian(lambda each: trainer.sampler.samples(each, seed), each) for each in latents[:COUNT]]
    spectra = [insight.singular_directions(each) for each in matrices]
    directions = directions_of(trainer, latents, made, spectra[0][1])
    found = {
        "singular_values": np.median([values for values, _ in spectra], axis=0).tolist(),
        "conditioning": float(np.median([insight.conditioning(values) for values, _ in spectra])),
        "directions": {name: direction.tolist() for name, direction in directions.items()},
    }
    if len(trainer.dataset.sample_shape) == 3:
        draw_looks(trainer, made[:COUNT], folder / "looks.png")
        draw_strips(trainer, latents[0], directions, folder / "directions.png")
    return found


def directions_of(
    trainer: "Trainer", latents: "np.ndarray", made: "np.ndarray", local: "np.ndarray"
) -> "dict[str, np.ndarray]":
    """Unit directions of the latents by name, those of each kind by their importance."""
    import keras
    from keras import ops

    from zoo.diagnosis import insight

    generator = trainer.players.generator
    found = {f"Jacobian {number + 1}": each for number, each in enumerate(local[:COMPONENTS])}
    kernel = generator.trainable_variables[0]
    if len(kernel.shape) == 2 and kernel.shape[0] == latents.shape[1]:
        _, rows = insight.sefa(ops.convert_to_numpy(kernel))
        found |= {f"SeFa {number + 1}": each for number, each in enumerate(rows[:COMPONENTS])}
    layer = next((each for each in generator.layers if type(each).__name__ in ACTIVATIONS), None)
    if layer is not None:
        early = keras.Model(generator.input, layer.output)
        activations = ops.convert_to_numpy(early(latents, training=False))
        _, rows = insight.ganspace(latents, activations, COMPONENTS)
        found |= {f"GANSpace {number + 1}": each for number, each in enumerate(rows)}
    return found | label_directions(trainer, latents, made)


def label_directions(trainer: "Trainer", latents: "np.ndarray", made: "np.ndarray") -> "dict[str, np.ndarray]":
    """The direction towards each class that samples fall into, by the class whose real mean is nearest."""
    import numpy as np

    from zoo.diagnosis import insight

    data = trainer.dataset
    if not data.classes or not 1 < data.classes <= MOST_CLASSES:
        return {}
    rows = data.spread(5 * DRAWN)
    real, labels = data.scaled(rows), np.asarray(data.arrays["labels"])[rows]
    present = [number for number in range(data.classes) if (labels == number).any()]
    means = np.stack([real[labels == number].reshape((labels == number).sum(), -1).mean(axis=0) for number in present])
    flat = made.reshape(len(made), -1)
    nearest = np.argmin(-2 * flat @ means.T + np.square(means).sum(axis=1), axis=1)
    names = data.class_names or tuple(map(str, range(data.classes)))
    return {
        f"towards {names[number]}": insight.label_direction(latents, nearest == place)
        for place, number in enumerate(present)
        if 0 < (nearest == place).sum() < len(made)
    }


def draw_looks(trainer: "Trainer", made: "np.ndarray", path: Path) -> None:
    """In each row a real and a generated image: itself and three maps of what its logit comes from."""
    import numpy as np
    from keras import ops

    from zoo.base.pictures import grid, save_picture, stretched, to_uint8
    from zoo.diagnosis import insight

    critic = trainer.players.discriminator

    def judge(samples: Any) -> Any:
        answer = critic(samples, training=False)
        logits = answer["logits"] if isinstance(answer, Mapping) else answer
        return ops.mean(ops.reshape(logits, (len(samples), -1)), axis=1)

    def logits_of(samples: Any) -> Any:
        return ops.convert_to_numpy(judge(samples))

    def gradients(function: Any, inputs: Any) -> Any:
        return ops.convert_to_numpy(trainer.engine.input_gradients(function, ops.convert_to_tensor(inputs)))

    real = trainer.dataset.scaled(np.linspace(0, trainer.dataset.count - 1, COUNT).astype(int))
    images = np.stack([real, made], axis=1).reshape(-1, *made.shape[1:])  # by turns
    window = max(1, images.shape[1] // WINDOWS)
    maps = [
        np.abs(insight.input_gradients(judge, gradients, images)).sum(axis=-1),
        insight.integrated_gradients(judge, gradients, images, images.mean(axis=0)).sum(axis=-1),
        stretched(insight.occlusion(logits_of, images, window, window), images.shape[1:3]),
    ]
    columns = [to_uint8(images), *(gray(each, images.shape[-1]) for each in maps)]
    rows = np.stack(columns, axis=1).reshape(-1, *images.shape[1:])
    save_picture(grid(rows, 2 * len(columns)), path)


def gray(maps: "np.ndarray", channels: int) -> "np.ndarray":
    """Maps (N, H, W) as uint8 images: white is the largest value; 0 is black, or gray where maps have both signs."""
    import numpy as np

    largest = np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), 1e-12)
    scaled = maps / largest if maps.min() < 0 else 2 * maps / largest - 1
    return np.repeat(np.clip(np.rint((scaled + 1) * 127.5), 0, 255).astype(np.uint8)[..., None], channels, axis=-1)


def draw_strips(trainer: "Trainer", latent: "np.ndarray", directions: "Mapping[str, np.ndarray]", path: Path) -> None:
    """A row for each direction: one sample in the middle, and what it becomes to either side."""
    import numpy as np

    from zoo.base.pictures import grid, save_picture, to_uint8
    from zoo.diagnosis import insight

    strips = [insight.strip(latent, direction, REACH, FRAMES) for direction in directions.values()]
    save_picture(grid(to_uint8(trainer.sampler.samples(np.concatenate(strips), 0)), FRAMES), path)
