"""`zoo data`, typed as a user types it."""

import io
import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import termios
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test has a folder and a data directory of its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def zoo(capsys):
    """Runs a command in this process: (exit code, stdout, stderr)."""

    def run(*words):
        code = 0
        try:
            main([*map(str, words)])
        except SystemExit as ended:
            code = ended.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def photos(here):
    """A folder of 20 images of two classes."""
    for row in range(20):
        folder = here / "work" / "photos" / ("cat" if row % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        image = np.random.default_rng(row).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(image).save(folder / f"{row:02}.png")
    return here / "work" / "photos"


def folders(here):
    return sorted(path.name for path in (here / "data" / "zoo").glob("[!.]*"))


def test_nothing_is_prepared_at_first_and_the_list_says_what_is_known(zoo):
    code, out, _ = zoo("data", "list")
    assert code == 0
    for name in ("fashion_mini", "celeba", "stacked_mnist", "swissroll"):
        assert f"  {name}" in out
    assert "Nothing is prepared yet: zoo data prepare fashion_mini" in out


def test_preparing_prepares_both_splits_and_the_list_shows_their_size_and_place(zoo, here):
    code, out, _ = zoo("data", "prepare", "ring8")
    assert code == 0
    assert "zoo run vanilla --dataset ring8" in out  # no convolutions for points
    assert len(folders(here)) == 2
    report = json.loads(zoo("data", "list", "--json")[1])
    (ring,) = [each for each in report["known"] if each["name"] == "ring8"]
    assert {each["split"] for each in ring["prepared"]} == {"train", "test"}
    for each in ring["prepared"]:
        assert each["shape"] == [100_000, 2]
        assert each["bytes"] == sum(path.stat().st_size for path in Path(each["folder"]).iterdir())


def next_words(out):
    """The words of the commands below Next, as a shell reads them."""
    return [shlex.split(line) for line in out.partition("Next:")[2].strip().splitlines()]


def test_the_next_commands_read_the_data_as_it_was_prepared(zoo, here, photos):
    folder = photos.rename(photos.with_name("my photos.v2"))
    data_dir = here / "other data"
    wanted = ["--image-size", "4", "--label", "none", "--crop", "6"]
    _, out, _ = zoo("data", "prepare", "./my photos.v2", *wanted, "--split", "all", "--data-dir", data_dir)
    shown, trained = next_words(out)
    assert shown == ["zoo", "data", "info", str(folder), "--data-dir", str(data_dir)]
    assert trained[:5] == ["zoo", "run", "dcgan", "--dataset", str(folder)]
    assert sorted(trained[5:]) == sorted([*wanted, "--split", "all", "--data-dir", str(data_dir)])
    assert zoo(*shown[1:])[0] == 0


def test_of_two_folders_the_next_command_translates(zoo, here, photos):
    same = ["./photos", "--source-from", "cat", "--source-size", "8"]
    _, out, _ = zoo("data", "prepare", *same, "--split", "train")
    assert "the field source is cat: 9 images of 8 px in an order of their own" in out
    path = str(photos)
    assert next_words(out)[1] == ["zoo", "run", "cyclegan", "--dataset", path, "--source-from", "cat", *same[3:]]
    for image in (photos / "cat").iterdir():
        image.rename(image.with_name(f"{int(image.stem) - 1:02}.png"))
    _, out, _ = zoo("data", "prepare", *same[:3], "--split", "train")
    assert next_words(out)[1] == ["zoo", "run", "pix2pix", "--dataset", path, "--source-from", "cat"]


def test_listing_imports_nothing_heavy(here):
    code = (
        "import sys\nfrom zoo.cli import main\ntry:\n    main(['data', 'list'])\nexcept SystemExit:\n    pass\n"
        "print('HEAVY', {'numpy', 'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY set()"


def test_info_reports_counts_and_classes_and_draws_a_contact_sheet(zoo, photos):
    assert zoo("data", "prepare", "./photos", "--split", "all")[0] == 0
    code, out, _ = zoo("data", "info", "./photos")
    assert code == 0
    assert "20 of shape (8, 8, 3)" in out
    assert "2: cat 10, dog 10" in out
    assert str(photos) in out
    with Image.open("photos-all.png") as sheet:
        pixels = np.asarray(sheet)
    # A row for each class, cats first; the sheet is enlarged by a whole factor behind its frame.
    factor = pixels.shape[0] // (2 * 10 + 2)
    shown = pixels[2 * factor : 10 * factor : factor, 2 * factor : 10 * factor : factor]
    with Image.open(photos / "cat" / "01.png") as first:
        assert np.array_equal(shown, np.asarray(first))


def test_info_as_json_names_the_requested_picture(zoo, here):
    zoo("data", "prepare", "swissroll", "--split", "train")
    code, out, _ = zoo("data", "info", "swissroll", "--json", "--out", "sheets/roll.webp")
    assert code == 0
    (report,) = json.loads(out)
    assert report["contact_sheet"] == "sheets/roll.webp"
    assert report["count"] == 100_000
    assert report["class_counts"] is None
    with Image.open("sheets/roll.webp") as sheet:
        assert sheet.format == "WEBP"


def test_what_is_not_prepared_is_reported_with_the_way_to_prepare_it(zoo):
    zoo("data", "prepare", "ring8", "--split", "train")
    code, out, err = zoo("data", "info", "rnig8")
    assert (code, out) == (2, "")
    assert "Unknown prepared dataset: 'rnig8'. Did you mean 'ring8'? Available: ring8." in err
    assert "zoo data prepare rnig8" in err


def test_verifying_hashes_every_byte(zoo, here):
    zoo("data", "prepare", "ring8")
    assert zoo("data", "verify")[0] == 0
    samples = sorted((here / "data" / "zoo").glob("ring8-train*/samples.npy"))[0]
    content = bytearray(samples.read_bytes())
    content[-1] ^= 1  # the size stays
    samples.write_bytes(content)
    code, out, _ = zoo("data", "verify", "ring8")
    assert code == 1
    assert out.count("DAMAGED") == 1
    assert out.count("ok ") == 1
    assert "its sha256 is " in out
    assert str(samples.parent) in out


def test_meta_json_is_verified_too(zoo, here):
    zoo("data", "prepare", "ring8", "--split", "train")
    meta = next((here / "data" / "zoo").glob("ring8-train*/meta.json"))
    meta.write_text(meta.read_text().replace('"train"', '"tests"'))
    code, out, _ = zoo("data", "verify")
    assert code == 1
    assert "DAMAGED" in out
    assert "unreadable" not in zoo("data", "list")[1]
    assert "damaged, or of another version" in zoo("data", "list")[1]
    assert zoo("data", "remove", "--interrupted", "--yes")[0] == 0
    assert folders(here) == []


def test_removing_needs_a_confirmation_and_leaves_the_originals(zoo, here, photos, monkeypatch):
    zoo("data", "prepare", "./photos", "--split", "train")
    zoo("data", "prepare", "ring8", "--split", "train")
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    code, _, err = zoo("data", "remove", "./photos")
    assert code != 0
    assert len(folders(here)) == 2
    assert "photos-train" in err
    code, out, _ = zoo("data", "remove", "./photos", "--yes")
    assert code == 0
    assert "Removed 1 folders" in out
    assert [name.partition("-")[0] for name in folders(here)] == ["ring8"]
    assert len(list(photos.rglob("*.png"))) == 20


def test_removing_without_a_name_is_refused(zoo):
    code, _, err = zoo("data", "remove", "--yes")
    assert code == 2
    assert "Name what to remove" in err


SLOW = """
import sys, time
from dataclasses import replace
from zoo.cli import main
from zoo.data.sources.points import PointSource
whole = PointSource.contents
def batches(contents):
    samples, labels = next(contents.batches)
    yield samples[:50_000], None
    print("half", flush=True)
    time.sleep(60)
PointSource.contents = lambda self, rows: replace(whole(self, rows), batches=batches(whole(self, rows)))
main(["data", "prepare", "ring8"])
"""


def half_prepared():
    """A process that has written half of a dataset, and waits."""
    process = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "half\n"
    return process


def test_ctrl_c_leaves_nothing_and_says_so(here):
    with half_prepared() as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Interrupted" in err
    assert not list((here / "data" / "zoo").glob("*ring8-*"))


def test_what_a_killed_preparation_left_is_listed_and_removed(zoo, here):
    with half_prepared() as process:
        process.kill()
    assert "interrupted or at work" in zoo("data", "list")[1]
    assert zoo("data", "remove", "--interrupted", "--yes")[0] == 0
    assert not list((here / "data" / "zoo").glob(".ring8*partial"))


def test_what_is_just_being_prepared_is_not_removed(zoo):
    with half_prepared() as process:
        code, _, err = zoo("data", "remove", "--interrupted", "--yes")
        process.kill()
    assert code == 2
    assert "ring8 is being prepared just now" in err


def test_a_second_process_says_that_it_waits(here):
    with half_prepared() as first:
        second = subprocess.Popen(
            [sys.executable, "-m", "zoo", "data", "prepare", "ring8", "--split", "train"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert "Another process is preparing ring8" in second.stderr.readline()
        first.kill()
        first.wait()
        out, _ = second.communicate()
    assert second.returncode == 0
    assert "100,000 x (2,)" in out


def exported(zoo, name, file="data.zoo"):
    zoo("data", "prepare", name)
    code, out, err = zoo("data", "export", name, file)
    assert code == 0, err
    return out


def moved(here):
    """Another machine: what was prepared is gone."""
    shutil.rmtree(here / "data")


def test_an_exported_set_trains_elsewhere_without_tensorflow_or_tfds(zoo, here, photos):
    assert "train, 18 x 8 x 8 x 3" in exported(zoo, "./photos")
    moved(here)
    shutil.rmtree(photos)
    code, out, _ = zoo("data", "import", "data.zoo")
    assert code == 0
    assert "zoo run dcgan --dataset photos" in out
    program = (
        "import sys\nfrom zoo.catalogue import read_catalogue\nfrom zoo.data import open_dataset\n"
        "data = open_dataset('photos', read_catalogue())\n"
        "assert not {'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules)\n"
        "print(data.count, data.class_names, data.samples.sum())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("18 ('cat', 'dog') "), done.stderr


def test_importing_twice_changes_nothing_and_equal_data_export_to_equal_files(zoo, here):
    exported(zoo, "ring8", "one.zoo")
    zoo("data", "export", "ring8", "two.zoo")
    assert Path("one.zoo").read_bytes() == Path("two.zoo").read_bytes()
    assert "(was here already)" in zoo("data", "import", "one.zoo")[1]
    assert len(folders(here)) == 2


def test_an_import_may_have_another_name(zoo, here, photos):
    exported(zoo, "./photos")
    moved(here)
    assert zoo("data", "import", "data.zoo", "--as", "my pets")[0] == 0
    assert "18 of shape" in zoo("data", "info", "my pets")[1]
    code, _, err = zoo("data", "import", "data.zoo", "--as", "../evil")
    assert code == 2
    assert "can't be a dataset's name" in err


@pytest.mark.parametrize("name", [None, "my pets"])
def test_the_command_that_an_import_names_trains_on_it(name, zoo, here):
    images = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3), dtype=np.uint8)
    np.savez("a.npz", samples=images)
    read = ["--image-size", "8", "--channels", "1"]
    assert zoo("data", "prepare", "a.npz", *read)[0] == 0
    assert zoo("data", "export", "a.npz", "data.zoo", *read)[0] == 0
    moved(here)
    Path("a.npz").unlink()
    told = zoo("data", "import", "data.zoo", *(["--as", name] if name else []))[1].splitlines()[-1]
    words = shlex.split(told.removeprefix("Train: zoo "))
    assert words[:4] == ["run", "dcgan", "--dataset", name or "a"]  # a.npz would be a path
    tiny = ["--steps", "1", "--set", "batch_size=4", "--set", "generator_units=4", "--set", "discriminator_units=4"]
    code, out, err = zoo("run", "vanilla", *words[2:], *tiny)
    assert code == 0, err
    assert "vanilla on" in out


def test_only_a_split_is_exported_where_one_is_named(zoo):
    zoo("data", "prepare", "ring8")
    report = json.loads(zoo("data", "export", "ring8", "a.zoo", "--split", "test", "--json")[1])
    assert report["sets"] == ["test, 100,000 x 2, of points ring8"]
    code, _, err = zoo("data", "export", "ring8", "b.zoo", "--split", "all")
    assert code == 2
    assert "is not prepared so for ['all']" in err
    assert not Path("b.zoo").exists()


@pytest.mark.parametrize("place", [0.2, 0.7])
def test_a_flipped_bit_in_an_exported_file_is_found_and_nothing_imported(zoo, here, place):
    exported(zoo, "ring8")
    content = bytearray(Path("data.zoo").read_bytes())
    content[int(len(content) * place)] ^= 1
    Path("data.zoo").write_bytes(content)
    moved(here)
    code, _, err = zoo("data", "import", "data.zoo")
    assert code == 2
    assert "is damaged" in err
    assert len(folders(here)) < 2  # the split before the damaged one may be there, whole
    assert zoo("data", "verify")[0] == 0


def forged(change):
    """An exported file made anew, with what `change` makes of {name: bytes}."""
    with zipfile.ZipFile("data.zoo") as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile("forged.zoo", "w") as archive:
        for name, content in change(members).items():
            archive.writestr(name, content)


def first(members, ending):
    return next(name for name in members if name.endswith(ending))


FORGERIES = {
    "a path that leads out": lambda m: {**m, "../evil/meta.json": b"{}"},
    "a file that we do not write": lambda m: {**m, first(m, "meta.json").replace("meta.json", "run.py"): b"x"},
    "other samples": lambda m: {**m, first(m, "samples.npy"): m[first(m, "samples.npy")][:-1] + b"!"},
    "an edited meta.json": lambda m: {
        **m,
        first(m, "meta.json"): m[first(m, "meta.json")].replace(b'"scale": 1.0', b'"scale": 2.0'),
    },
    "no samples": lambda m: {name: content for name, content in m.items() if not name.endswith("samples.npy")},
    "a meta.json that is none": lambda m: {**m, first(m, "meta.json"): b"[]"},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_file_is_refused_and_leaves_nothing(zoo, here, forgery):
    zoo("data", "prepare", "ring8", "--split", "train")
    zoo("data", "export", "ring8", "data.zoo")
    forged(FORGERIES[forgery])
    moved(here)
    code, _, err = zoo("data", "import", "forged.zoo")
    assert code == 2, err
    assert "forged.zoo" in err
    assert folders(here) == [] if (here / "data").exists() else True
    assert not (here / "data" / "evil").exists()


def test_an_array_of_objects_in_an_exported_file_is_refused(zoo, here):
    zoo("data", "prepare", "ring8", "--split", "train")
    zoo("data", "export", "ring8", "data.zoo")
    np.save("evil.npy", np.array([{"a": 1}], dtype=object))

    def change(members):
        from zoo.data.prepared.directory import CHECKSUM, meta_checksum

        name = first(members, "samples.npy")
        meta_name = first(members, "meta.json")
        evil = Path("evil.npy").read_bytes()
        meta = json.loads(members[meta_name])
        meta["files"]["samples.npy"] = len(evil)
        meta[CHECKSUM] = meta_checksum(meta)
        return {**members, name: evil, meta_name: json.dumps(meta).encode()}

    forged(change)
    moved(here)
    code, _, err = zoo("data", "import", "forged.zoo")
    assert code == 2
    assert "Python objects in dtype" in err


def test_a_file_of_another_kind_is_no_exported_one(zoo):
    Path("x.zoo").write_text("no zip")
    code, _, err = zoo("data", "import", "x.zoo")
    assert code == 2
    assert "was not made by `zoo data export`" in err


def test_a_full_disk_is_reported_before_anything_is_written(zoo, here, monkeypatch):
    from collections import namedtuple

    from zoo.data.prepared import directory

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(directory.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    code, _, err = zoo("data", "prepare", "ring8")
    assert code == 2
    assert "where 1 MB are free" in err
    assert folders(here) == []


def test_options_that_mean_nothing_for_points_are_refused(zoo):
    code, _, err = zoo("data", "prepare", "ring8", "--image-size", "64", "--crop", "3")
    assert code == 2
    assert "'ring8' is a set of points: --image-size, --crop means nothing for it" in err


def test_a_folder_that_is_not_there_to_prepare_from_is_reported(zoo):
    code, _, err = zoo("data", "prepare", "celeba", "--from", "nowhere")
    assert code == 2
    assert "There is no nowhere, from which 'celeba' was to be prepared." in err


def test_every_command_has_help_with_examples(zoo):
    for command in ("list", "prepare", "info", "verify", "remove", "export", "import"):
        code, out, _ = zoo("data", command, "--help")
        assert code == 0
        assert "Examples:" in out
        assert f"zoo data {command}" in out


def test_a_named_dataset_of_ones_own_may_stand_in_a_registry(zoo, photos):
    Path("registry.yaml").write_text("datasets:\n  pets: {path: ./photos, image_size: 4, summary: Cats and dogs}\n")
    code, out, err = zoo("data", "prepare", "pets")
    assert code == 0, err
    assert "pets: 18 x (4, 4, 3)" in out
    assert "Cats and dogs" in zoo("data", "list")[1]
    assert "2: cat " in zoo("data", "info", "pets")[1]


def test_a_registry_s_train_and_test_are_kept_for_any_kind_of_source(zoo, here):
    np.save("a.npy", np.arange(40 * 16, dtype=np.uint16).astype(np.uint8).reshape(40, 4, 4))
    Path("registry.yaml").write_text("datasets:\n  mine: {path: a.npy, train: 'train[:80%]', test: 'train[80%:]'}\n")
    report = json.loads(zoo("data", "prepare", "mine", "--json")[1])
    assert [each["description"]["rows"] for each in report] == [
        [{"split": "train", "count": 32, "range": [0, 32]}],
        [{"split": "train", "count": 8, "range": [32, 40]}],
    ]


def test_on_a_terminal_a_preparation_draws_a_bar_and_ends_well(here):
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", "data", "prepare", "fashion_mini"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    )
    out, _ = process.communicate()
    os.close(terminal)
    drawn = os.read(controller, 2**16).decode()
    os.close(controller)
    assert process.returncode == 0, drawn
    assert "preparing fashion_mini (train): 100%" in drawn
    assert "Error" not in drawn
    assert "10,000 x (28, 28, 1)" in out


def test_one_piece_of_work_has_one_bar_and_what_was_left_out_does_not_keep_it_open(monkeypatch):
    import tqdm.auto

    from zoo.base import progress

    made = []

    class Counted(tqdm.auto.tqdm):
        def __init__(self, *arguments, **options):
            made.append(self)
            super().__init__(*arguments, **{**options, "file": io.StringIO()})

    monkeypatch.setattr(tqdm.auto, "tqdm", Counted)
    bar = progress.Bar()
    for done in (2, 4, 6):
        bar.counting("train", done, 10)
    bar.counting("test", 3, 3)
    bar.counting("more", 1, 2)
    bar.stop()
    assert [(each.desc, each.n) for each in made] == [("train", 6), ("test", 3), ("more", 1)]
    assert all(each.disable for each in made)  # closed


def test_long_preparations_report_their_progress(here, capsys):
    from zoo.base.progress import Lines

    lines = Lines()
    lines.counting("preparing x", 1, 4)
    assert capsys.readouterr().err == ""
    lines.counted = ("preparing x", time.monotonic() - 100)
    lines.counting("preparing x", 2, 4)
    lines.counting("preparing x", 3, 4)
    lines.counting("preparing x", 4, 4)
    assert capsys.readouterr().err.splitlines() == ["preparing x: 2 of 4 (50%)", "preparing x: 4 of 4 (100%)"]
    assert os.environ["TFDS_DATA_DIR"]
