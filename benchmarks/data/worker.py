"""One measurement in a process of its own, which prints what it found as a line of JSON.

    python -m benchmarks.data.worker zoo '{"name": "faces/20000", "data": "/a/folder"}'

Libraries are imported before the clock starts; what is made or traced for one data set is timed.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common.meters import measured, paced, peaks

CROP, SIZE = 140, 64  # pixels
TOP, LEFT = 39, 19  # of the crop in CelebA's 218 x 178
BATCH = 64
AT_ONCE = 256  # images in a batch of what only reads
SHUFFLED = 10_000  # images in the buffer of tf.data
EPOCHS = 5  # of the zoo's batches: one alone is over in a moment
WIDTH = 64  # of the DCGAN
WARM_UP = 2  # steps
ROUNDS = 3  # of training steps


def files(folder: str, count: int) -> dict[str, Any]:
    """JPEG files, and the zip of them."""
    from . import faces

    pictures = Path(folder) / "pictures"
    faces.write_files(pictures, count)
    faces.write_zip(Path(folder) / "pictures.zip", pictures)
    sizes = [file.stat().st_size for file in pictures.iterdir()]
    return {"bytes_of_a_file": sum(sizes) / len(sizes)}


def records(data: str, pictures: str, count: int) -> dict[str, Any]:
    """TFDS' own preparation."""
    from . import faces

    faces.prepare_records(Path(data), Path(pictures), count)
    return {}


def arrays(path: str, pictures: str, count: int, packed: bool) -> dict[str, Any]:
    """A large .npz."""
    from . import faces

    faces.write_npz(Path(path), Path(pictures), count, SIZE, packed)
    return {"bytes": Path(path).stat().st_size, "unpacked_bytes": count * SIZE * SIZE * 3}


def zoo(name: str, data: str) -> dict[str, Any]:
    """The zoo's preparation of a data set of TFDS whose records are there, or of a path."""
    if name.startswith("faces/"):
        tensorflow()
    shutil.rmtree(Path(data) / "zoo", ignore_errors=True)
    return measured(lambda: opened(name, data).count)


def tfds_decode(name: str, data: str) -> dict[str, Any]:
    """TFDS decodes, and nothing else."""
    tf, tfds = tensorflow()

    def iterated() -> int:
        images = read(tfds, name, data)
        return seen(images.batch(AT_ONCE).prefetch(tf.data.AUTOTUNE))

    return measured(iterated)


def tfds_resize(name: str, data: str) -> dict[str, Any]:
    """TFDS decodes, and a map crops and resizes."""
    tf, tfds = tensorflow()

    def iterated() -> int:
        images = read(tfds, name, data).map(lambda example: square(tf, example["image"]), tf.data.AUTOTUNE)
        return seen(images.batch(AT_ONCE).prefetch(tf.data.AUTOTUNE))

    return measured(iterated)


def zoo_batches(name: str, data: str) -> dict[str, Any]:
    """Shuffled batches of the prepared array."""
    from zoo.data import SampleOrder

    dataset = opened(name, data)
    int(dataset.samples.sum())  # every page is in memory now
    order = SampleOrder(dataset.count, BATCH, seed=0)
    batches = EPOCHS * dataset.count // BATCH
    return paced(lambda number: dataset.batch(order.indices(number)), batches, BATCH)


def tf_records(name: str, data: str) -> dict[str, Any]:
    """Shuffled batches of the records: each epoch decodes, crops and resizes anew."""
    tf, tfds = tensorflow()

    def epoch() -> int:
        examples = read(tfds, name, data, {"image": tfds.decode.SkipDecoding()}, shuffle_files=True)
        images = examples.shuffle(SHUFFLED).map(
            lambda example: square(tf, tf.io.decode_jpeg(example["image"], channels=3)), tf.data.AUTOTUNE
        )
        return seen(images.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE))

    return measured(epoch)


def tf_array(name: str, data: str) -> dict[str, Any]:
    """Shuffled batches of the prepared array by tf.data."""
    import numpy as np

    tf, _ = tensorflow()
    samples = np.array(opened(name, data).samples)
    images = tf.data.Dataset.from_tensor_slices(samples).shuffle(SHUFFLED).batch(BATCH, drop_remainder=True)
    images = images.repeat(EPOCHS).prefetch(tf.data.AUTOTUNE)
    return measured(lambda: seen(images))


def training(name: str, data: str, steps: int, width: int) -> dict[str, Any]:
    """Seconds of training steps, and those of them in which batches and seeds were made."""
    from zoo import backend

    backend.prepare()
    from zoo.catalogue import read_catalogue
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.trainer import Trainer

    stack = resolve_stack("dcgan", read_catalogue(), settings=[f"batch_size={BATCH}", f"width={width}"])
    trainer = Trainer(stack, opened(name, data), 0)
    trainer.train(WARM_UP)
    rounds = []
    for _ in range(ROUNDS):
        trainer.phases.begin()
        trainer.train(steps)
        spent = trainer.phases.end()
        rounds.append({"step_seconds": sum(spent.values()) / steps, "batch_seconds": spent["batches"] / steps})
    return {"rounds": rounds, "steps": steps, "policy": trainer.policy.summary}


def memory(name: str, data: str, with_tensorflow: bool, prepared: bool) -> dict[str, Any]:
    """The most memory while a data set is prepared, or after the same imports alone."""
    from zoo.data import open_dataset  # noqa: F401  imported, so that imports are no growth

    if with_tensorflow:
        tensorflow()
    return peaks(lambda: opened(name, data).samples.nbytes if prepared else 0)


def versions() -> dict[str, str]:
    """What computes."""
    import keras
    import numpy
    import PIL

    tf, tfds = tensorflow()
    modules = {"tensorflow": tf, "tensorflow-datasets": tfds, "numpy": numpy, "pillow": PIL, "keras": keras}
    return {name: module.__version__ for name, module in modules.items()}


def tensorflow() -> tuple[Any, Any]:
    """TensorFlow and TFDS, imported, with the builder of the pictures."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    from . import faces

    _ = faces.Faces
    return tf, tfds


def opened(name: str, data: str) -> Any:
    """The zoo's dataset, prepared where it is not; an .npz has images of the wanted size already."""
    from zoo.catalogue import read_catalogue
    from zoo.data import DataOptions, open_dataset

    looks = {} if name.endswith(".npz") else {"crop": CROP, "image_size": SIZE}
    # What has one split alone is divided unless all of it is asked for.
    options = DataOptions(split="train" if name.startswith("faces/") else "all", **looks)
    return open_dataset(name, read_catalogue(), data_dir=Path(data), options=options)


def read(tfds: Any, name: str, data: str, decoders: dict[str, Any] | None = None, **options: bool) -> Any:
    """TFDS' dataset of the images alone."""
    partial = tfds.decode.PartialDecoding({"image": True}, decoders=decoders)
    return tfds.builder(name, data_dir=data).as_dataset(split="train", decoders=partial, **options)


def square(tf: Any, image: Any) -> Any:
    """What the zoo stores of an image."""
    centre = image[TOP : TOP + CROP, LEFT : LEFT + CROP]
    resized = tf.image.resize(centre, (SIZE, SIZE), method="bicubic", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)


def seen(batches: Any) -> int:
    """How many images there are in all batches."""
    return sum(len(batch["image"] if isinstance(batch, dict) else batch) for batch in batches)


MEASUREMENTS: dict[str, Callable[..., dict[str, Any]]] = {
    each.__name__: each
    for each in (
        files, records, arrays, zoo, tfds_decode, tfds_resize, zoo_batches, tf_records, tf_array, training, memory,
        versions,
    )
}  # fmt: skip


def main() -> None:
    """Measure, and print the result alone."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not stand beside the answer
    answers.write(json.dumps(MEASUREMENTS[sys.argv[1]](**json.loads(sys.argv[2]))) + "\n")
    answers.close()


if __name__ == "__main__":
    main()
