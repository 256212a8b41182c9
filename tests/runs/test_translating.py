"""zoo translate: directions, sizes that a network bears, transparency, rotation, folders, and what is refused."""

import json
import os
import signal
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
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
from zoo.cli import cli, exit_of
from zoo.data.fields import Field
from zoo.training import translation_files
from zoo.training.data_of_run import DataOfRun
from zoo.training.sampler import Sampler
from zoo.training.trainer import Trainer
from zoo.training.translating import KEPT, Direction, Size, Translator, directions, padded_side, translate
from zoo.training.translation_places import MANIFEST

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


def test_many_sizes_are_translated_by_few_networks(cyclegan: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = Translator(cyclegan, directions(cyclegan)["samples"])
    sides = range(33, 65)
    assert {translator.size_for((side, 40)) for side in sides} == {(side, 40) for side in (40, 48, 56, 64)}
    assert {padded_side(side) for side in range(257, 513)} == {320, 384, 448, 512}
    assert all(side <= padded_side(side) <= 1.25 * side for side in range(1, 1000) if side > 32)
    images = [drawn(SIZE + 5, SIZE + 6, 1), drawn(SIZE + 6, SIZE + 7, 1)]
    assert {translator.size_for(each.shape[:2]) for each in images} == {(16, 16)}
    together = translator.with_given(images)[1]
    for image, made in zip(images, together, strict=True):
        np.testing.assert_allclose(made, translator.translated(image[None])[0], atol=1)
        assert made.shape == image.shape


def test_sizes_that_a_network_does_not_bear_are_tried_once(
    sampler_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = sampler_of("pix2pix+edges", "dropout=0")
    translator = Translator(sampler, directions(sampler)["samples"])
    built = list[Size]()
    monkeypatch.setattr(Translator, "rebuilt", lambda self, size: built.append(size))
    for side in range(40 * KEPT, 42 * KEPT):
        assert translator.size_for((side, 40)) == (SIZE, SIZE)
    assert len(built) == len(set(built))


def test_a_network_of_another_size_holds_the_wanted_direction_alone(cyclegan: Sampler) -> None:
    for direction in directions(cyclegan).values():
        rebuilt = Translator(cyclegan, direction).rebuilt((16, 12))
        given = {name: drawn(1, 16, 12, 1) / 127.5 - 1 for name in ("source", "samples")}
        given = {name: each.astype("float32") for name, each in given.items()}
        whole = rebuilt.generating.model(given)
        alone = rebuilt.generating(given, training=False)
        assert set(alone) == {direction.end}
        np.testing.assert_allclose(
            ops.convert_to_numpy(alone[direction.end]), ops.convert_to_numpy(whole[direction.end]), atol=1e-5
        )


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
        invoked(run, pictures, "--out", tmp_path / f"{count} made", "--sheet", tmp_path / "sheets" / "it.png", *words)
        return read(tmp_path / "sheets" / "it.png").size

    def of(rows: int, pairs: int) -> tuple[int, int]:
        return grid(np.zeros((rows * 2 * pairs, SIZE, SIZE, 3), np.uint8), 2 * pairs).size

    assert size(3) == of(1, 3)
    assert size(12, "--columns", 2) == of(5, 2)


def test_large_transparent_images_are_translated_one_by_one_and_keep_their_transparency(
    run: zoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def made(_: Translator, images: list[np.ndarray], seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        seen.append([each.shape for each in images])
        return images, [np.repeat(each, 3, axis=-1) for each in images]

    monkeypatch.setattr(Translator, "with_given", made)
    monkeypatch.setattr(Translator, "size_for", lambda _, size: size)
    side = 2049  # 4.2 million pixels, more than a batch may have
    alpha = np.tile(np.arange(side, dtype=np.int64) % 256, (side, 1)).astype(np.uint8)
    gray = np.full((side, side), 90, np.uint8)
    for name in ("a.png", "b.png"):
        saved(tmp_path / "large" / name, np.stack([gray, gray, gray, alpha], axis=-1))
    assert invoked(run, tmp_path / "large", "--out", tmp_path / "made")["images"] == 2
    assert seen == [[(side, side, 1)]] * 2
    result = np.asarray(read(tmp_path / "made" / "b.png"))
    np.testing.assert_array_equal(result[..., 3], alpha)
    expected = np.asarray(read(tmp_path / "large" / "b.png").convert("LA"))  # 90 over white, as transparent as it is
    shown = np.rint(90 * (expected[..., 1] / 255) + 255 * (1 - expected[..., 1] / 255))
    np.testing.assert_allclose(result[..., 0], shown, atol=1)


def test_a_place_that_can_not_be_written_is_told_before_the_work(
    run: zoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.training.translation_files import Work

    monkeypatch.setattr(Work, "translate", lambda *_, **__: pytest.fail("it began"))
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
        (["twice", "--out", "x.png"], "x.png is the name of an image, and the translations of .*twice are several"),
        (["twice", "--out", "notes.txt"], "notes.txt is a file. Choose a folder"),
        (
            ["float.tif", "--out", "x"],
            "No image of .*float.tif can be read: .* holds floating-point values of unknown range",
        ),
        (["empty", "--out", "x"], "There are no images in"),
        (["a.png", "--out", "x", "--class", "Bag"], "takes no classes: it is not conditional"),
        (["a.png", "--out", "x", "--to", "source"], "Unknown direction, to: 'source'. Available: samples"),
    ],
)
def test_mistakes_are_told(words: list[str], message: str, run: zoo.Run, tmp_path: Path) -> None:
    for name in ("a.png", "twice/a.png", "twice/a.jpg"):
        saved(tmp_path / name, drawn(SIZE, SIZE))
    (tmp_path / "empty").mkdir()
    Image.fromarray(np.ones((SIZE, SIZE), "float32")).save(tmp_path / "float.tif")
    (tmp_path / "notes.txt").write_text("no image")
    places = [
        str(tmp_path / word) if not (word.startswith("--") or word in ("Bag", "source")) else word for word in words
    ]
    with pytest.raises(ZooError, match=message):
        CliRunner().invoke(cli, ["translate", str(run.path), *places], catch_exceptions=False, standalone_mode=False)


def test_data_is_looked_for_where_it_is_said_to_live(
    run: zoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = list[Path]()
    opening = zoo.data.open_dataset

    def noted(*arguments: object, **options: object) -> object:
        places.append(options["data_dir"])
        return opening(*arguments, **options)

    monkeypatch.setattr("zoo.data.open_dataset", noted)
    assert run.data_dir == run.path.parent  # where it was trained on data of
    for words in (
        ["sample", str(run.path), "--out", str(tmp_path / "made.png")],
        ["sample", str(run.path), "--count", "3", "--out", str(tmp_path / "made.npy")],
        ["export", str(run.path), "--format", "html", "--out", str(tmp_path / "page.html")],
    ):
        places.clear()
        CliRunner().invoke(cli, [*words, "--data-dir", str(run.path.parent)], catch_exceptions=False)
        assert set(places) == {run.path.parent}, words
    assert np.load(tmp_path / "made.npy").shape == (3, SIZE, SIZE, 3)


def test_training_data_never_takes_the_place_of_test_data_unsaid(
    run: zoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["sample", str(run.path), "--out", str(tmp_path / "made.png"), "--data-dir", str(run.path.parent), "--json"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert json.loads(done.stdout)["made_of"] == "test"
    split = DataOfRun.split

    def without_test(self: DataOfRun, name: str) -> object:
        if name == "test":
            raise ZooError("There is no split 'test'. Available: train.")
        return split(self, name)

    monkeypatch.setattr(DataOfRun, "split", without_test)
    message = "so its training split 'train' takes its place, which the generator has seen: There is no split 'test'"
    with pytest.warns(zoo.ZooWarning, match=message):
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert json.loads(done.stdout)["made_of"] == "train"


def failed(run: zoo.Run, *words: object) -> str:
    with pytest.raises(ZooError) as error:
        invoked(run, *words)
    return str(error.value)


def test_an_interrupted_translation_goes_on_where_it_was(
    run: zoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, made = tmp_path / "pictures", tmp_path / "made"
    for number in range(6):
        saved(pictures / f"{number}.png", drawn(SIZE, SIZE + number))
    write, written = translation_files.write, list[str]()

    def interrupting(result: np.ndarray, alpha: np.ndarray | None, path: Path) -> None:
        write(result, alpha, path)
        written.append(path.name)
        if len(written) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(translation_files, "write", interrupting)
    with pytest.raises(click.Abort) as ending:
        CliRunner().invoke(
            cli, ["translate", str(run.path), str(pictures), "--out", str(made)],
            catch_exceptions=False, standalone_mode=False,
        )  # fmt: skip
    code, line = exit_of(ending.value)
    assert code == 130
    assert line.endswith(f"of 6 images are written to {made}. The same command goes on from there.")
    first = list(written)
    done = invoked(run, pictures, "--out", made, "--sheet", tmp_path / "sheet.png")
    assert done["images"] + done["made_before"] == 6
    assert sorted({*written}) == sorted(f"{number}.png" for number in range(6))
    assert done["made_before"] in (1, 2)  # the signal may come before the second is noted
    assert invoked(run, pictures, "--out", made)["images"] == 0
    saved(pictures / first[0], drawn(SIZE, SIZE + 2)[::-1])  # changed since, and another result removed
    (made / first[1]).unlink()
    assert invoked(run, pictures, "--out", made)["images"] == 2
    whole = tmp_path / "whole"
    invoked(run, pictures, "--out", whole)
    for number in range(6):
        np.testing.assert_array_equal(read(made / f"{number}.png"), read(whole / f"{number}.png"))


def test_files_that_were_made_in_another_way_are_replaced_only_when_asked(run: zoo.Run, tmp_path: Path) -> None:
    pictures, made = tmp_path / "pictures", tmp_path / "made"
    saved(pictures / "a.png", drawn(SIZE, SIZE))
    made.mkdir()
    (made / "a.png").write_bytes(b"somebody's")
    message = failed(run, pictures, "--out", made)
    assert "a.png is there already, made by something else. Choose another folder with --out" in message
    assert (made / "a.png").read_bytes() == b"somebody's"
    invoked(run, pictures, "--out", made, "--overwrite")
    kept = json.loads((made / MANIFEST).read_text())
    assert (kept["run"], kept["step"], kept["options"]["to"]) == (str(run.path), 1, "samples")
    message = failed(run, pictures, "--out", made, "--trained-size")
    assert "made in another way" in message
    assert "options.own_size: True there, False here" in message
    assert invoked(run, pictures, "--out", made, "--trained-size", "--overwrite")["images"] == 1
    (made / MANIFEST).write_text(json.dumps({**kept, "weights": "others"}))
    assert "weights: 'others' there" in failed(run, pictures, "--out", made)
    (made / MANIFEST).write_text("torn")
    assert "can't be read" in failed(run, pictures, "--out", made, "--trained-size")
    invoked(run, pictures, "--out", made, "--overwrite")
    saved(tmp_path / "others" / "a.png", drawn(SIZE, SIZE + 1))
    assert "is the translation of" in failed(run, tmp_path / "others", "--out", made)


def test_every_kind_of_image_is_read_as_it_is_seen(run: zoo.Run, tmp_path: Path) -> None:
    pictures, plain = tmp_path / "pictures", drawn(SIZE, SIZE)
    deep = plain.astype("uint16") * 257
    saved(pictures / "deep.png", deep)
    colours = Image.fromarray(np.stack([plain] * 3, axis=-1))
    colours.quantize(256).save(pictures / "palette.png")
    seen = colours.quantize(256).convert("L")
    hidden = colours.quantize(256)
    hidden.save(pictures / "hidden.png", transparency=0)
    colours.convert("CMYK").save(pictures / "print.jpg", quality=100)
    frames = [Image.fromarray(each) for each in (plain, plain[::-1])]
    frames[0].save(pictures / "moving.gif", save_all=True, append_images=frames[1:])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(drawn(6, 8)).save(pictures / "turned.jpg", exif=exif, quality=100)
    done = invoked(run, pictures, "--out", tmp_path / "made")
    assert (done["images"], done["left_out"], done["first_of"]) == (6, [], ["moving.gif"])
    made = {path.stem: read(path) for path in (tmp_path / "made").glob("*.png")}
    expected = np.asarray(run.translate(plain[None, ..., None])[0])
    for name in ("deep", "moving"):
        np.testing.assert_allclose(np.asarray(made[name]), expected, atol=1)
    np.testing.assert_allclose(np.asarray(made["palette"]), run.translate(np.asarray(seen)[None, ..., None])[0], atol=1)
    assert made["hidden"].mode == "RGBA"
    assert (np.asarray(made["hidden"])[..., 3] == 0).any()
    assert made["print"].size == (SIZE, SIZE)
    assert made["turned"].size == (6, 8)


def test_names_that_differ_in_their_ending_alone_both_survive(run: zoo.Run, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for name in ("a.png", "a.jpg", "b.gif"):
        saved(pictures / name, drawn(SIZE, SIZE))
    invoked(run, pictures, "--out", tmp_path / "made")
    assert sorted(path.name for path in (tmp_path / "made").glob("*.png")) == ["a.jpg.png", "a.png", "b.png"]


def test_a_folder_for_one_image_and_results_below_what_is_read(run: zoo.Run, tmp_path: Path) -> None:
    saved(tmp_path / "a.png", drawn(SIZE, SIZE))
    (tmp_path / "made.v1").mkdir()
    invoked(run, tmp_path / "a.png", "--out", tmp_path / "made.v1")
    assert read(tmp_path / "made.v1" / "a.png").size == (SIZE, SIZE)
    invoked(run, tmp_path / "a.png", "--out", tmp_path / "file.png")
    invoked(run, tmp_path / "a.png", "--out", tmp_path / "file.png")  # one file is made anew
    saved(tmp_path / "all" / "b.png", drawn(SIZE, SIZE))
    for images in (1, 0):  # what was made is not translated again
        assert invoked(run, tmp_path / "all", "--out", tmp_path / "all" / "made")["images"] == images
