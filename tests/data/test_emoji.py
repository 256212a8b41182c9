"""The embedded pairs of emoji: what they are, which is the source, and that the test split holds no near-copies."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo.data.emoji
from zoo import ZooError
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, Dataset, open_dataset
from zoo.data.sources.emoji import EmojiSource

FOLDER = Path(zoo.data.emoji.__file__).parent


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emoji")

    def opening(name: str = "emoji", **options: object) -> Dataset:
        return open_dataset(name, read_catalogue(), data_dir=folder, options=DataOptions(**options))

    return opening


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_emoji", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pairs() -> list[dict[str, str]]:
    with (FOLDER / "pairs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def looks(make) -> dict[str, list[bytes]]:
    """The pixels of each pair, in either style."""
    sheets = []
    for style in ("twemoji", "noto"):
        with Image.open(FOLDER / f"{style}.webp") as file:
            sheets.append(file.convert("RGB"))
    places = [(row % make.COLUMNS * make.SIZE, row // make.COLUMNS * make.SIZE) for row in range(len(pairs()))]
    return {
        pair["code"]: [sheet.crop((left, top, left + make.SIZE, top + make.SIZE)).tobytes() for sheet in sheets]
        for pair, (left, top) in zip(pairs(), places, strict=True)
    }


def test_rows_are_the_stored_pairs_in_their_order(opened):
    for split in ("train", "test"):
        data = opened(split=split)
        numbers = [number for number, pair in enumerate(pairs()) if pair["split"] == split]
        assert data.samples.shape == (len(numbers), 32, 32, 3)
        for style, array in (("noto", data.samples), ("twemoji", data.arrays["source"])):
            sheet = Image.open(FOLDER / f"{style}.webp")
            for row in (0, 5, len(numbers) - 1):
                left, top = numbers[row] % 44 * 32, numbers[row] // 44 * 32
                np.testing.assert_array_equal(array[row], np.asarray(sheet.crop((left, top, left + 32, top + 32))))
        names = [data.class_names[label] for label in data.labels]
        assert names == [pairs()[number]["category"] for number in numbers]
    assert data.classes == 10
    assert len(pairs()) == 1911


def test_a_red_circle_is_red_in_both_styles(opened):
    data = opened(split="all")
    codes = [pair["code"] for split in ("train", "test") for pair in pairs() if pair["split"] == split]
    for array in (data.samples, data.arrays["source"]):
        picture = array[codes.index("1F534")].astype(int)
        red, green, blue = picture[16, 16]
        assert red > 200
        assert max(green, blue) < 100
        assert (picture[0, 0] == 255).all()


def test_either_style_may_be_the_source_in_any_size_and_colour(opened):
    ahead, back = opened(split="test"), opened(split="test", source_from="noto")
    np.testing.assert_array_equal(ahead.samples, back.arrays["source"])
    np.testing.assert_array_equal(back.samples, ahead.arrays["source"])
    small = opened(split="test", image_size=16, channels=1, label="none")
    assert small.samples.shape[1:] == small.arrays["source"].shape[1:] == (16, 16, 1)
    assert small.labels is None
    other = opened(split="test", source_size=8)
    assert (other.samples.shape[1:], other.arrays["source"].shape[1:]) == ((32, 32, 3), (8, 8, 3))
    with pytest.raises(ZooError, match=r"Unknown style in emoji: 'apple'. Available: noto, twemoji"):
        opened(source_from="apple")


def test_unpaired_training_has_an_order_of_its_own_and_tests_have_pairs(opened):
    assert opened().fields["source"].aligned
    assert not opened("emoji_unpaired").fields["source"].aligned
    assert opened("emoji_unpaired", split="test").fields["source"].aligned


def test_the_recorded_split_is_the_scripts_and_a_tenth_of_each_category_without_near_copies(make):
    categories = {pair["code"]: pair["category"] for pair in pairs()}
    test = {pair["code"] for pair in pairs() if pair["split"] == "test"}
    assert make.chosen_for_test(categories, looks(make)) == test
    for category, size in make.counted(categories.values()).items():
        found = sum(categories[code] == category for code in test)
        assert int(0.1 * size) - 2 < found <= 0.1 * size, category  # the groups are small
    assert not {make.kin(code) for code in test} & {make.kin(code) for code in categories if code not in test}


@pytest.mark.parametrize("style", [0, 1])
def test_no_test_picture_is_a_training_picture_in_either_style(make, style):
    sides = {"train": set(), "test": set()}
    for pair, each in zip(pairs(), looks(make).values(), strict=True):
        sides[pair["split"]].add(each[style])
    assert not sides["train"] & sides["test"]


def test_near_copies_are_kin(make):
    runners = ("1F3C3", "1F3C3-200D-2640-FE0F", "1F3C3-200D-2642-FE0F")
    medics = ("1F468-200D-2695-FE0F", "1F469-200D-2695-FE0F", "1F9D1-200D-2695-FE0F")
    families = ("1F468-200D-1F469-200D-1F466", "1F469-200D-1F467-200D-1F467")
    flags = ("1F1E6-1F1E8", "1F1E6-1F1E9")
    for group in (runners, medics, families):
        assert len({make.kin(code) for code in group}) == 1
    assert len({make.kin(code) for code in (runners[0], medics[0], families[0], *flags, "1F468", "2640-FE0F")}) == 7


def test_licences_and_attribution_stand_beside_the_files():
    text = (FOLDER / "SOURCE.md").read_text()
    assert "CC-BY 4.0" in text
    assert "Apache License" in text
    assert "Version 2.0" in (FOLDER / "LICENSE-noto.txt").read_text()
    assert "Cal Henderson" in (FOLDER / "LICENSE-emoji-data.txt").read_text()


def test_pairs_that_an_earlier_package_divided_otherwise_are_prepared_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the test split prepared by the one and the training split by the other share most of their images."""

    def counts() -> list[int]:
        splits = ("train", "test")
        opened = [
            open_dataset("emoji", read_catalogue(), data_dir=tmp_path, options=DataOptions(each)) for each in splits
        ]
        return [data.count for data in opened]

    earlier = [(code, category, "test" if split == "train" else "train") for code, category, split in pairs_of()]
    with monkeypatch.context() as patch:
        patch.setattr(EmojiSource, "pairs", earlier)
        patch.setattr(EmojiSource, "identity", {"files": "those of an earlier package"})
        assert counts() == [186, 1725]
    assert counts() == [1725, 186]


def pairs_of() -> list[tuple[str, str, str]]:
    return [(pair["code"], pair["category"], pair["split"]) for pair in pairs()]
