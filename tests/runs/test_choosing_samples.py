"""Samples of seeds, files of latents, walks and films, mixed styles."""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.backend import engine
from zoo.base.films import save_film
from zoo.data.fields import expected_fields
from zoo.training import drawing
from zoo.training.players import Generating, build_generator
from zoo.training.sample_files import Wanted, default_name
from zoo.training.sampler import Sampler

pytestmark = pytest.mark.leaky  # imageio leaves pipes open


def test_a_seed_makes_the_same_sample_whatever_stands_beside_it(finished: zoo.Run, zoo_command):
    assert zoo_command("sample", finished.path, "--seeds", "3-5,9", "--out", "four.npy").code == 0
    assert zoo_command("sample", finished.path, "--seeds", "9,4", "--out", "two.npy").code == 0
    four, two = np.load("four.npy"), np.load("two.npy")
    assert four.shape == (4, 8, 8, 1)
    np.testing.assert_array_equal(two, four[[3, 1]])
    np.testing.assert_array_equal(finished.sample(seeds=[5]), four[2:3])
    np.testing.assert_allclose(finished.sample(1, seed=9).astype(int), four[3:].astype(int), atol=1)
    assert len(np.unique(four, axis=0)) == 4


def test_a_name_without_an_ending_is_a_folder_of_pngs(finished: zoo.Run, zoo_command):
    assert zoo_command("sample", finished.path, "--seeds", "7,12", "--out", "chosen").code == 0
    assert sorted(each.name for each in Path("chosen").iterdir()) == ["seed0007.png", "seed0012.png"]
    with Image.open("chosen/seed0012.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), finished.sample(seeds=[12])[0, ..., 0])
    refused = zoo_command("sample", finished.path, "--seeds", "7", "--out", "chosen")
    assert (refused.code, "chosen exists: choose another place" in refused.err) == (2, True)


def test_a_grid_has_the_rows_and_columns_that_were_asked_for(finished: zoo.Run, zoo_command):
    assert zoo_command("sample", finished.path, "--grid", "2x5", "--out", "grid.png").code == 0
    with Image.open("grid.png") as picture:
        assert picture.width * (2 * 10 + 2) == picture.height * (5 * 10 + 2)
    assert "'8' is no grid of rows and columns: write 8x8." in zoo_command("sample", "x", "--grid", 8).err
    assert "'5-2' is neither a number nor a range: write 0-35,99." in zoo_command("sample", "x", "--seeds", "5-2").err
    large = zoo_command("sample", "x", "--seeds", "0-999999999")
    assert "'0-999999999' are more than 1,000,000 numbers." in large.err
    other = zoo_command("sample", finished.path, "--seeds", "0-9", "--grid", "2x3", "--out", "other.png")
    assert "--grid 2x3 has 6 places; there are 10 samples." in other.err


def test_a_class_may_be_called_by_what_no_file_can(zoo_command):
    words = ("sample", "cgan-projection@fashion_mini", "--seeds", "3", "--class", "Bag", "--class", "T-shirt/top")
    done = zoo_command(*words, "--out", "byclass")
    assert done.code == 0, done.err
    assert sorted(each.name for each in Path("byclass").iterdir()) == ["Bag-seed0003.png", "T-shirt_top-seed0003.png"]


def test_pictures_of_different_choices_do_not_overwrite_one_another():
    wanted = [
        Wanted(),
        Wanted(seed=3),
        Wanted(seeds=(0, 1, 9)),
        Wanted(truncation=0.7),
        Wanted(classes=("T-shirt/top",)),
        Wanted(interpolate=True),
        Wanted(latents=Path("faces.npz")),
    ]
    assert [default_name(each) for each in wanted] == [
        "samples-seed-0",
        "samples-seed-3",
        "samples-seeds-0-to-9",
        "samples-seed-0-truncation-0.7",
        "samples-seed-0-T-shirt_top",
        "walks-seed-0",
        "samples-of-faces",
    ]


@pytest.mark.parametrize("name", ["two.zip", "two.tfrecord"])
def test_the_same_command_writes_the_same_bytes(name: str, finished: zoo.Run, zoo_command, monkeypatch):
    words = ("sample", finished.path, "--seeds", "1-3", *(("--format", "tfrecord") if "tf" in name else ()))
    assert zoo_command(*words, "--out", name).code == 0
    first = Path(name).read_bytes()
    Path(name).unlink()
    monkeypatch.setattr(time, "time", lambda: 2e9)  # which dates the entries of a zip
    assert zoo_command(*words, "--out", name).code == 0
    assert Path(name).read_bytes() == first
    if name.endswith("zip"):
        assert all(entry.external_attr >> 16 == 0o644 for entry in zipfile.ZipFile(name).infolist())


def test_saved_latents_make_the_same_samples_again(finished: zoo.Run, zoo_command):
    words = ("--seeds", "1,2,3", "--save-latents", "three.npz")
    assert zoo_command("sample", finished.path, *words, "--out", "first.npy").code == 0
    assert zoo_command("sample", finished.path, "--latents", "three.npz", "--out", "again.npy").code == 0
    np.testing.assert_array_equal(np.load("first.npy"), np.load("again.npy"))
    np.testing.assert_array_equal(finished.sample(latents="three.npz"), np.load("first.npy"))
    walked = zoo_command("sample", finished.path, "--interpolate", "--save-latents", "walk.npz")
    assert "--save-latents writes the latents of samples: leave out --interpolate" in walked.err
    np.savez("other.npz", code=np.zeros((2, 3)))
    refused = zoo_command("sample", finished.path, "--latents", "other.npz")
    assert "takes latents; the arrays hold code." in refused.err


def test_what_is_added_and_subtracted_again_changes_nothing(finished: zoo.Run, zoo_command):
    for name, seeds in (("a", "1,2"), ("b", "3,4"), ("c", "5")):
        zoo_command("sample", finished.path, "--seeds", seeds, "--save-latents", f"{name}.npz", "--out", f"{name}.npy")
    words = ("sample", finished.path, "--latents", "a.npz")
    assert zoo_command(*words, "--plus", "b.npz", "--minus", "b.npz", "--out", "same.npy").code == 0
    np.testing.assert_allclose(np.load("same.npy").astype(int), np.load("a.npy").astype(int), atol=1)
    assert zoo_command(*words, "--plus", "b.npz", "--minus", "c.npz", "--out", "other.npy").code == 0
    assert (np.load("other.npy") != np.load("a.npy")).any()
    refused = zoo_command("sample", finished.path, "--plus", "b.npz")
    assert "--plus and --minus are added to the latents of a file" in refused.err


def test_latents_are_added_by_hand_worked_numbers_at_the_length_they_had():
    base, plus = {"latents": np.array([[3.0, 0.0]])}, {"latents": np.array([[0.0, 2.0], [0.0, 4.0]])}
    moved = drawing.added(base, [plus], [])["latents"]  # (3, 3) at length 3
    np.testing.assert_allclose(moved, [[4.5**0.5, 4.5**0.5]], rtol=1e-6)


def test_a_tour_goes_on_great_circles_through_its_points():
    points = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    half = 0.5**0.5
    np.testing.assert_allclose(
        drawing.tour(points, 5), [[1, 0], [half, half], [0, 1], [-half, half], [-1, 0]], atol=1e-12
    )
    loop = drawing.tour(points[:2], 4, loop=True)  # the vector after the last would be the first
    np.testing.assert_allclose(loop, [[1, 0], [half, half], [0, 1], [half, half]], atol=1e-12)
    with pytest.raises(zoo.ZooError, match="two points or more"):
        drawing.tour(points[:1], 5)


def test_a_walk_is_a_film_of_so_many_seconds(finished: zoo.Run, zoo_command):
    words = ("sample", finished.path, "--interpolate", "--seeds", "1,2,3,4", "--seconds", 0.5, "--fps", 10)
    for name in ("walk.gif", "walk.webp"):
        assert zoo_command(*words, "--grid", "1x2", "--out", name).code == 0
        with Image.open(name) as film:
            assert (film.n_frames, film.width > film.height) == (5, True)
    frames = finished.interpolate(seeds=(1, 2), frames=3)
    np.testing.assert_array_equal(frames[[0, 2]], finished.sample(seeds=[1, 2]))
    assert "--loop and --seconds are for walks" in zoo_command("sample", finished.path, "--loop").err
    odd = zoo_command(*words, "--grid", "1x3", "--out", "odd.gif")
    assert "4 points can't be divided among 3 walks" in odd.err


def test_seeds_are_walked_through_in_a_row_each(finished: zoo.Run, zoo_command):
    words = ("sample", finished.path, "--interpolate", "--seeds", "1,2,3", "--loop")
    assert zoo_command(*words, "--out", "rows.npy").code == 0
    rows = np.load("rows.npy").reshape(3, 10, 8, 8, 1)
    np.testing.assert_array_equal(rows[:, 0], finished.sample(seeds=[1, 2, 3]))
    np.testing.assert_array_equal(rows[:, 9], finished.sample(seeds=[2, 3, 1]))


def test_an_mp4_has_its_frames_and_rate_and_the_same_bytes_again(tmp_path: Path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    pictures = [Image.new("RGB", (61, 48), (40 * number, 0, 0)) for number in range(5)]  # an odd width
    for name in ("one.mp4", "two.mp4"):
        save_film(pictures, tmp_path / name, fps=10)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    reader = ffmpeg.read_frames(str(tmp_path / "one.mp4"))
    found = next(reader)
    frames = [np.frombuffer(each, np.uint8).reshape(48, 62, 3) for each in reader]
    assert (found["size"], found["fps"], len(frames)) == ((62, 48), 10, 5)
    np.testing.assert_allclose([each[20, 20, 0] for each in frames], [0, 40, 80, 120, 160], atol=6)


def test_an_mp4_without_its_library_says_what_to_install(finished: zoo.Run, zoo_command, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    refused = zoo_command("sample", finished.path, "--interpolate", "--out", "walk.mp4")
    assert refused.code == 2
    assert "An .mp4 needs imageio-ffmpeg: pip install 'gan-zoo[video]'." in refused.err


def test_styles_are_mixed_by_layer_and_only_where_there_are_some(make_stack, finished: zoo.Run, zoo_command):
    stack, computing = make_stack("stylegan2"), engine()
    fields = expected_fields((16, 16, 1), None)
    sampler = Sampler(stack, Generating(build_generator(stack, fields, computing), fields), computing)
    first, second = (drawing.of_seeds(sampler, seeds) for seeds in ([1, 2], [3]))
    styles = drawing.styles_of(sampler, first)
    mixed = drawing.mixed_styles(sampler, first, second, [1, 2])["styles"]
    assert styles.shape == mixed.shape == (2, 6, 3)
    np.testing.assert_array_equal(mixed[:, [0, 3, 4, 5]], styles[:, [0, 3, 4, 5]])
    np.testing.assert_array_equal(mixed[:, [1, 2]], np.repeat(drawing.styles_of(sampler, second), 2, 0)[:, [1, 2]])
    own, unmixed = (drawing.one_by_one(sampler, each, [0, 0]) for each in (first, {"styles": styles}))
    np.testing.assert_allclose(unmixed, own, atol=1e-6)  # synthesis alone makes what the whole generator does
    with pytest.raises(zoo.ZooError, match="numbered from 0 to 5; there is no 6"):
        drawing.mixed_styles(sampler, first, second, [6])
    refused = zoo_command("sample", finished.path, "--seeds", 1, "--mix", 2, "--styles", 0)
    assert "'vanilla' has no styles to mix" in refused.err


def test_a_run_is_scored_by_a_method_of_its_own(finished: zoo.Run):
    options = zoo.EvaluationOptions(["nonsense"])
    for score in (finished.evaluate, zoo.load(finished.path).evaluate):
        with pytest.raises(zoo.ZooError, match="Unknown metric: 'nonsense'"):
            score(options=options, progress=False)


def test_json_says_where_the_samples_are(finished: zoo.Run, zoo_command):
    done = zoo_command("sample", finished.path, "--seeds", "0-2", "--out", "three.png", "--json")
    assert json.loads(done.out) == {"samples": "three.png"}


def test_the_command_says_nothing_but_where_the_samples_are(finished: zoo.Run, tmp_path: Path) -> None:
    """TensorFlow, imported by Keras first, would bury it under its notices."""
    words = [sys.executable, "-m", "zoo", "sample", finished.path, "--seeds", "1", "--out", tmp_path / "one.png"]
    told = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == (f"{tmp_path / 'one.png'}\n", "")
