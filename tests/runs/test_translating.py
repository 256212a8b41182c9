"""zoo translate: directions, sizes that a network bears, transparency, rotation, folders, and what is refused."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from edges_run import edges_run
from keras import ops
from PIL import Image
from zoo_plugins.edges import edges

import zoo
from zoo import ZooError
from zoo.base.pictures import grid
from zoo.cli import cli
from zoo.data.fields import Field
from zoo.training.sampler import Sampler
from zoo.training.trainer import Trainer
from zoo.training.translating import Direction, Translator, directions, translate

SIZE = 8
ONE_BLOCK = ("residual_blocks=1", "batch_size=4")


@pytest.fixture(scope="module")
def sampler_of(make_stack: Callable, tiny_dataset: Callable) -> Callable[..., Sampler]:
    def make(text: str, *settings: str, shape=(SIZE, SIZE, 1), classes=None, source=None) -> Sampler:
        data = tiny_dataset(shape, classes=classes)
        if source is not None:
            data = replace(data, others={"source": (Field("image", source), np.zeros((40, *source), "uint8"))})
        return Trainer(make_stack(text, *settings), data).sampler

    return make


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def cyclegan(sampler_of: Callable) -> Sampler:
    return sampler_of("cyclegan+negative", *ONE_BLOCK)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    """A run that turns edges to images of three channels."""
    folder = tmp_path_factory.mktemp("run")
    return edges_run(folder, drawn(40, SIZE, SIZE, 3), dropout=0)


def test_both_directions_are_the_generators_own(cyclegan: Sampler) -> None:
    assert directions(cyclegan) == {
        "samples": Direction("source", "samples"),
        "source": Direction("samples", "source"),
    }
    images = drawn(3, SIZE, SIZE, 1)
    given = dict.fromkeys(("source", "samples"), images / 127.5 - 1)
    whole = cyclegan.generator({name: each.astype("float32") for name, each in given.items()})
    for name in ("samples", "source"):
        expected = np.rint((ops.convert_to_numpy(whole[name]) + 1) * 127.5)
        np.testing.assert_array_equal(translate(cyclegan, images, name), expected)
    with pytest.raises(
        ZooError, match=r"Unknown direction, to: 'sorce'\. Did you mean 'source'\? Available: samples, source"
    ):
        translate(cyclegan, images, "sorce")


def test_a_convolutional_network_bears_any_size_and_cuts_off_what_it_had_to_add(cyclegan: Sampler) -> None:
    translator = Translator(cyclegan, directions(cyclegan)["samples"])
    assert [translator.size_for(size) for size in ((16, 12), (13, 18), (8, 8))] == [(16, 12), (16, 20), (8, 8)]
    image = drawn(1, 13, 18, 1)
    padded = np.pad(image, ((0, 0), (0, 3), (0, 2), (0, 0)), mode="edge")
    made = translator.translated(image)
    assert made.shape == (1, 13, 18, 1)
    np.testing.assert_array_equal(made, translator.translated(padded)[:, :13, :18])
    # the weights are those of training: at its own size nothing is rebuilt
    at_trained = replace(cyclegan)
    rebuilt = translator.rebuilt((8, 8))
    for one, other in zip(at_trained.generator.variables, rebuilt.generator.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))


def test_what_a_network_does_not_bear_is_translated_at_the_size_of_training(sampler_of: Callable) -> None:
    sampler = sampler_of("pix2pix+edges", "dropout=0")
    translator = Translator(sampler, directions(sampler)["samples"])
    assert translator.size_for((7, 5)) == (7, 5)  # as deep a U-Net
    assert translator.size_for((40, 24)) == (SIZE, SIZE)
    image = drawn(1, 40, 24, 1)
    small = np.asarray(Image.fromarray(image[0, ..., 0]).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    made = translator.translated(small[None, ..., None])
    large = np.asarray(Image.fromarray(made[0, ..., 0]).resize((24, 40), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(translator.translated(image)[0, ..., 0], large)
    fixed = Translator(sampler, directions(sampler)["samples"], own_size=False)
    assert fixed.size_for((7, 5)) == (SIZE, SIZE)


def test_super_resolution_enlarges_any_size(sampler_of: Callable) -> None:
    sampler = sampler_of("srgan", "feature_weight=0", *ONE_BLOCK, shape=(16, 16, 3))
    assert translate(sampler, drawn(2, 5, 7, 3)).shape == (2, 20, 28, 3)
    assert translate(sampler, drawn(2, 22, 16, 3), from_samples=True).shape == (2, 22, 16, 3)  # reduced first


def test_a_task_makes_the_source_of_samples(run: zoo.Run) -> None:
    images = drawn(2, SIZE, SIZE, 3)
    source = ops.convert_to_numpy(edges(ops.convert_to_tensor((images / 127.5 - 1).astype("float32"))))
    sampler = run.sampler
    made = ops.convert_to_numpy(sampler.generator({"source": source}))
    expected = np.rint((made + 1) * 127.5)
    np.testing.assert_allclose(run.translate(images, from_samples=True), expected, atol=1)
    drawing = drawn(2, SIZE, SIZE, 1)
    made = ops.convert_to_numpy(sampler.generator({"source": (drawing / 127.5 - 1).astype("float32")}))
    np.testing.assert_allclose(run.translate(drawing), np.rint((made + 1) * 127.5), atol=1)


def test_images_are_changed_to_the_class_that_is_asked_for(sampler_of: Callable) -> None:
    sampler = sampler_of("stargan", *ONE_BLOCK, classes=3)
    assert directions(sampler) == {"samples": Direction("samples", "samples")}
    images = drawn(2, SIZE, SIZE, 1)
    one, other = (translate(sampler, images, conditions={"labels": number}) for number in (0, 2))
    assert (one != other).any()
    assert one.shape == images.shape
    with pytest.raises(ZooError, match="changes images to a class: say which, --class NAME"):
        translate(sampler, images)


def test_holes_to_fill_are_transparent(sampler_of: Callable) -> None:
    sampler = sampler_of("pix2pix+mask", "dropout=0", shape=(SIZE, SIZE, 3))
    image = drawn(1, SIZE, SIZE, 4)
    image[..., 3] = 255
    image[:, 2:5, 2:5, 3] = 0
    repainted = image.copy()
    repainted[:, 2:5, 2:5, :3] = 7  # what lies below a hole is not seen
    np.testing.assert_array_equal(translate(sampler, image), translate(sampler, repainted))


def test_what_is_no_translation_is_refused(sampler_of: Callable, run: zoo.Run) -> None:
    with pytest.raises(ZooError, match="makes images of latents, not of images: it translates nothing"):
        directions(sampler_of("dcgan", shape=(16, 16, 1)))
    paired = sampler_of("pix2pix", source=(SIZE, SIZE, 1))
    with pytest.raises(ZooError, match="No task of 'pix2pix' makes 'source' of samples"):
        translate(paired, drawn(1, SIZE, SIZE, 1), from_samples=True)
    with pytest.raises(ZooError, match=r"Expected uint8 images \(N, H, W, 1\).*received uint8 \(1, 8, 8, 3\)"):
        run.translate(drawn(1, SIZE, SIZE, 3))


def invoked(run: zoo.Run, *words: object) -> dict:
    done = CliRunner().invoke(cli, ["translate", str(run.path), *map(str, words), "--json"], catch_exceptions=False)
    return json.loads(done.stdout)


def saved(path: Path, pixels: np.ndarray, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def read(path: Path) -> Image.Image:
    with Image.open(path) as file:
        return file.copy()


def test_a_folder_is_translated_with_rotation_transparency_and_broken_files(run: zoo.Run, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    plain = drawn(SIZE, SIZE)
    saved(pictures / "a.png", plain)
    alpha = drawn(SIZE, SIZE)
    saved(pictures / "deeper" / "b.png", np.stack([plain, plain, plain, alpha], axis=-1))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned to the left
    saved(pictures / "c.png", drawn(6, 8), exif=exif)
    (pictures / "d.png").write_bytes(b"no image")
    done = invoked(run, pictures, "--out", tmp_path / "made", "--sheet", tmp_path / "sheet.png")
    assert (done["images"], done["left_out"], done["direction"]) == (3, ["d.png"], "source to samples")
    folder = tmp_path / "made"
    made = {str(path.relative_to(folder)): read(path) for path in folder.rglob("*.png")}
    assert {name: (each.mode, each.size) for name, each in made.items()} == {
        "a.png": ("RGB", (8, 8)),
        "c.png": ("RGB", (6, 8)),
        "deeper/b.png": ("RGBA", (8, 8)),
    }
    np.testing.assert_array_equal(np.asarray(made["deeper/b.png"])[..., 3], alpha)
    np.testing.assert_array_equal(np.asarray(made["a.png"]), run.translate(plain[None, ..., None])[0])
    turned = np.rot90(drawn(6, 8), -1)
    np.testing.assert_array_equal(np.asarray(made["c.png"]), run.translate(turned[None, ..., None])[0])
    assert read(tmp_path / "sheet.png").width > 0

    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.write(pictures / "a.png", "a.png")
    assert invoked(run, tmp_path / "pictures.zip", "--out", tmp_path / "of_zip")["images"] == 1
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "of_zip" / "a.png")), np.asarray(made["a.png"]))
    invoked(run, pictures / "a.png", "--out", tmp_path / "single.png")
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "single.png")), np.asarray(made["a.png"]))


def test_a_sheet_has_as_many_columns_as_are_wanted_and_five_rows_at_most(run: zoo.Run, tmp_path: Path) -> None:
    def size(count: int, *words: object) -> tuple[int, int]:
        pictures = tmp_path / str(count)
        for number in range(count):
            saved(pictures / f"{number:02}.png", drawn(SIZE, SIZE))
        invoked(run, pictures, "--out", tmp_path / "made", "--sheet", tmp_path / "sheets" / "it.png", *words)
        return read(tmp_path / "sheets" / "it.png").size

    def of(rows: int, pairs: int) -> tuple[int, int]:
        return grid(np.zeros((rows * 2 * pairs, SIZE, SIZE, 3), np.uint8), 2 * pairs).size

    assert size(3) == of(1, 3)
    assert size(12, "--columns", 2) == of(5, 2)


def test_large_transparent_images_are_translated_one_by_one_and_keep_their_transparency(
    run: zoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def made(_: Translator, images: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        seen.append(images.shape)
        return images, np.repeat(images, 3, axis=-1)

    monkeypatch.setattr(Translator, "with_given", made)
    monkeypatch.setattr(Translator, "size_for", lambda _, size: size)
    side = 2049  # 4.2 million pixels, more than a batch may have
    alpha = np.tile(np.arange(side, dtype=np.int64) % 256, (side, 1)).astype(np.uint8)
    gray = np.full((side, side), 90, np.uint8)
    for name in ("a.png", "b.png"):
        saved(tmp_path / "large" / name, np.stack([gray, gray, gray, alpha], axis=-1))
    assert invoked(run, tmp_path / "large", "--out", tmp_path / "made")["images"] == 2
    assert seen == [(1, side, side, 1)] * 2
    result = np.asarray(read(tmp_path / "made" / "b.png"))
    np.testing.assert_array_equal(result[..., 3], alpha)
    expected = np.asarray(read(tmp_path / "large" / "b.png").convert("LA"))  # 90 over white, as transparent as it is
    shown = np.rint(90 * (expected[..., 1] / 255) + 255 * (1 - expected[..., 1] / 255))
    np.testing.assert_allclose(result[..., 0], shown, atol=1)


def test_a_place_that_can_not_be_written_is_told_before_the_work(
    run: zoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.training import translation_files

    monkeypatch.setattr(translation_files, "batches", lambda *_: pytest.fail("it began"))
    saved(tmp_path / "a.png", drawn(SIZE, SIZE))
    (tmp_path / "file").write_text("no folder")
    for words in (["--out", "file/made"], ["--out", "made", "--sheet", "file/sheet.png"]):
        places = [word if word.startswith("--") else str(tmp_path / word) for word in words]
        with pytest.raises(ZooError, match=rf"Can't write .*Not a directory.*another place with {words[-2]}\."):
            invoked_to_fail(run, tmp_path / "a.png", *places)


def invoked_to_fail(run: zoo.Run, *words: object) -> None:
    CliRunner().invoke(
        cli, ["translate", str(run.path), *map(str, words)], catch_exceptions=False, standalone_mode=False
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.png", "--out", "x"], "There is no .*missing.png: expected an image, a folder or a .zip"),
        (["notes.txt", "--out", "x"], "notes.txt is no image"),
        (["a.png", "--out", "x.jpg"], "Translations are written as PNG"),
        (["a.png", "--out", "a.png"], "would be replaced by its translation"),
        (["twice", "--out", "x"], "a.jpg and a.png would both become .*a.png"),
        (["empty", "--out", "x"], "There are no images in"),
        (["a.png", "--out", "x", "--class", "Bag"], "takes no classes: it is not conditional"),
        (["a.png", "--out", "x", "--to", "source"], "Unknown direction, to: 'source'. Available: samples"),
    ],
)
def test_mistakes_are_told(words: list[str], message: str, run: zoo.Run, tmp_path: Path) -> None:
    for name in ("a.png", "twice/a.png", "twice/a.jpg"):
        saved(tmp_path / name, drawn(SIZE, SIZE))
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no image")
    places = [
        str(tmp_path / word) if not (word.startswith("--") or word in ("Bag", "source")) else word for word in words
    ]
    with pytest.raises(ZooError, match=message):
        CliRunner().invoke(cli, ["translate", str(run.path), *places], catch_exceptions=False, standalone_mode=False)
