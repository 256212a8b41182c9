"""One measurement in a process of its own, which prints its result as a line of JSON.

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
TOP, LEFT = 39, 19  # pixels, the corner of the centre crop in CelebA's 218 x 178
BATCH = 64
AT_ONCE = 256  # images a batch where records are only read
SHUFFLED = 10_000  # images in tf.data's shuffle buffer
EPOCHS = 5  # epochs of the zoo's batches, since one is too short to time
WIDTH = 64  # the DCGAN's width
WARM_UP = 2  # steps
ROUNDS = 3  # rounds of training steps


def files(folder: str, count: int) -> dict[str, Any]:
    """Makes the JPEG files, and a zip of them."""
    from . import faces

    pictures = Path(folder) / "pictures"
    faces.write_files(pictures, count)
    faces.write_zip(Path(folder) / "pictures.zip", pictures)
    sizes = [file.stat().st_size for file in pictures.iterdir()]
    return {"bytes_of_a_file": sum(sizes) / len(sizes)}


def records(data: str, pictures: str, count: int) -> dict[str, Any]:
    """Makes TFDS' records of the JPEG files."""
    from . import faces

    faces.prepare_records(Path(data), Path(pictures), count)
    return {}


def arrays(path: str, pictures: str, count: int, packed: bool) -> dict[str, Any]:
    """Makes a large .npz."""
    from . import faces

    faces.write_npz(Path(path), Path(pictures), count, SIZE, packed)
    return {"bytes": Path(path).stat().st_size, "unpacked_bytes": count * SIZE * SIZE * 3}


def zoo(name: str, data: str) -> dict[str, Any]:
    """Times the zoo's preparation of a TFDS dataset whose records exist, or of a path."""
    if name.startswith("faces/"):
        tensorflow()
    shutil.rmtree(Path(data) / "zoo", ignore_errors=True)
    return measured(lambda: opened(name, data).count)


def tfds_decode(name: str, data: str) -> dict[str, Any]:
    """Times TFDS' decoding alone."""
    tf, tfds = tensorflow()

    def iterated() -> int:
        images = read(tfds, name, data)
        return seen(images.batch(AT_ONCE).prefetch(tf.data.AUTOTUNE))

    return measured(iterated)


def tfds_resize(name: str, data: str) -> dict[str, Any]:
    """Times TFDS' decoding with a crop and resize by tf.data."""
    tf, tfds = tensorflow()

    def iterated() -> int:
        images = read(tfds, name, data).map(lambda example: square(tf, example["image"]), tf.data.AUTOTUNE)
        return seen(images.batch(AT_ONCE).prefetch(tf.data.AUTOTUNE))

    return measured(iterated)


def zoo_batches(name: str, data: str) -> dict[str, Any]:
    """Times the zoo's shuffled batches of the prepared array."""
    from zoo.data import SampleOrder

    dataset = opened(name, data)
    int(dataset.samples.sum())  # reads every page into memory
    order = SampleOrder(dataset.count, BATCH, seed=0)
    batches = EPOCHS * dataset.count // BATCH
    return paced(lambda number: dataset.batch(order.indices(number)), batches, BATCH)


def tf_records(name: str, data: str) -> dict[str, Any]:
    """Times tf.data's shuffled batches of the records, decoded, cropped and resized in each epoch."""
    tf, tfds = tensorflow()

    def epoch() -> int:
        examples = read(tfds, name, data, {"image": tfds.decode.SkipDecoding()}, shuffle_files=True)
        images = examples.shuffle(SHUFFLED).map(
            lambda example: square(tf, tf.io.decode_jpeg(example["image"], channels=3)), tf.data.AUTOTUNE
        )
        return seen(images.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE))

    return measured(epoch)


def tf_array(name: str, data: str) -> dict[str, Any]:
    """Times tf.data's shuffled batches of the prepared array."""
    import numpy as np

    tf, _ = tensorflow()
    samples = np.array(opened(name, data).samples)
    images = tf.data.Dataset.from_tensor_slices(samples).shuffle(SHUFFLED).batch(BATCH, drop_remainder=True)
    images = images.repeat(EPOCHS).prefetch(tf.data.AUTOTUNE)
    return measured(lambda: seen(images))


def training(name: str, data: str, steps: int, width: int) -> dict[str, Any]:
    """Seconds of training steps, and the part of them in which batches and seeds were made."""
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
    """Peak memory of preparing a dataset, or of the same imports alone."""
    from zoo.data import open_dataset  # noqa: F401  imported before the measurement, so that imports do not count

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
    """The zoo's dataset, prepared if it is not; an .npz has images of the right size already."""
    from zoo.catalogue import read_catalogue
    from zoo.data import DataOptions, open_dataset

    preprocessing = {} if name.endswith(".npz") else {"crop": CROP, "image_size": SIZE}
    # A dataset with a single split is divided into train and test unless `all` is requested.
    options = DataOptions(split="train" if name.startswith("faces/") else "all", **preprocessing)
    return open_dataset(name, read_catalogue(), data_dir=Path(data), options=options)


def read(tfds: Any, name: str, data: str, decoders: dict[str, Any] | None = None, **options: bool) -> Any:
    """TFDS' dataset of the images alone."""
    partial = tfds.decode.PartialDecoding({"image": True}, decoders=decoders)
    return tfds.builder(name, data_dir=data).as_dataset(split="train", decoders=partial, **options)


def square(tf: Any, image: Any) -> Any:
    """An image, cropped and resized as the zoo does."""
    centre = image[TOP : TOP + CROP, LEFT : LEFT + CROP]
    resized = tf.image.resize(centre, (SIZE, SIZE), method="bicubic", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)


def seen(batches: Any) -> int:
    """The number of images in all batches."""
    return sum(len(batch["image"] if isinstance(batch, dict) else batch) for batch in batches)


MEASUREMENTS: dict[str, Callable[..., dict[str, Any]]] = {
    each.__name__: each
    for each in (
        files, records, arrays, zoo, tfds_decode, tfds_resize, zoo_batches, tf_records, tf_array, training, memory,
        versions,
    )
}  # fmt: skip


def main() -> None:
    """Runs the measurement, and prints nothing but its result."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries' output must not mix with the result
    answers.write(json.dumps(MEASUREMENTS[sys.argv[1]](**json.loads(sys.argv[2]))) + "\n")
    answers.close()


if __name__ == "__main__":
    main()
