import itertools
import json

import numpy as np
import pytest
from bare import BARE

from zoo import ZooError
from zoo.data import DataOptions, open_dataset
from zoo.data.splits import DIVISION_SEED, Splits
from zoo.data.tfds.quiet import imported_tfds

COUNTS = {"train": 1003, "test": 57, "unlabelled-2": 250}


@pytest.fixture
def opened(tmp_path):
    """Opens a split of a dataset whose rows are their own numbers."""

    def opened(split, count=40):
        path = tmp_path / f"{count}.npy"
        np.save(path, np.arange(count, dtype=np.uint8).reshape(count, 1, 1))
        return open_dataset(str(path), BARE, data_dir=tmp_path / "data", options=DataOptions(split=split))

    return opened


def values(dataset):
    return dataset.samples.ravel().tolist()


def ours(expression, counts):
    """(split, row) of every row that an expression selects."""
    parts = Splits(counts, "it").select(expression).parts
    return [(part.split, row) for part in parts for row in part.rows.tolist()]


def of_tfds(expression, counts):
    """(split, row) of every row that TFDS reads for an expression."""
    tfds = imported_tfds()
    infos = {name: tfds.core.SplitInfo(name=name, shard_lengths=[n], num_bytes=0) for name, n in counts.items()}
    instructions = tfds.core.ReadInstruction.from_spec(expression).to_absolute(infos)
    return [
        (each.splitname, row) for each in instructions for row in range(counts[each.splitname])[each.from_ : each.to]
    ]


ENDS = ("", "0", "1", "25", "-1", "-25", "10%", "33%", "50%", "-10%", "-33%", "100%", "12.5%")
SLICES = [
    f"train[{start}:{stop}]"
    for start, stop in itertools.product(ENDS, ENDS)
    if (start or stop) and (not start or not stop or start.endswith("%") == stop.endswith("%"))
]
SUMS = ["train+test", "test[:50%]+train[-10%:]", "train[:7]+train[5:9]", "all", "unlabelled-2[3:4] + test[1:2]"]


@pytest.mark.parametrize("count", [57, 100, 250, 1003])
def test_slices_mean_the_rows_that_they_mean_to_tfds(count):
    counts = {"train": count, "test": 57}
    compared = 0
    for expression in SLICES:
        expected = of_tfds(expression, counts)
        if expected:
            assert ours(expression, counts) == expected, expression
            compared += 1
        else:
            with pytest.raises(ZooError, match="has no rows"):
                ours(expression, counts)
    assert compared > len(SLICES) / 3


def test_every_whole_percentage_rounds_to_the_row_that_tfds_takes():
    for count in (7, 50, 99, 150, 1003):
        counts = {"train": count, "test": 1}
        for percent in range(1, 101):
            expected = of_tfds(f"train[:{percent}%]+test", counts)
            assert ours(f"train[:{percent}%]+test", counts) == expected, (count, percent)


@pytest.mark.parametrize("expression", SUMS)
def test_sums_mean_the_rows_of_their_terms_in_order_as_in_tfds(expression):
    assert ours(expression, COUNTS) == of_tfds(expression, COUNTS)


def test_a_half_rounds_to_the_even_row_as_in_tfds():
    counts = {"train": 5, "test": 1}
    assert ours("train[:50%]", counts) == of_tfds("train[:50%]", counts) == [("train", 0), ("train", 1)]
    assert len(ours("train[:70%]", counts)) == len(of_tfds("train[:70%]", counts)) == 4


def test_a_negative_percentage_of_less_than_half_a_row_is_counted_from_the_end_unlike_in_tfds():
    counts = {"train": 10, "test": 1}
    assert len(ours("train[:-1%]", counts)) == 10
    assert of_tfds("train[:-1%]", counts) == []


def test_percentages_that_meet_leave_out_no_row_and_repeat_none():
    for count, percent in itertools.product((1, 2, 3, 101, 997), (1, 33, 50, 80, 99)):
        counts = {"train": count, "test": 1}
        pieces = f"train[:{percent}%]+train[{percent}%:]"
        assert ours(pieces, counts) == ours("train", counts)


def test_all_can_be_sliced_across_its_splits():
    assert ours("all[:50%]", {"train": 6, "test": 4}) == [("train", row) for row in range(5)]
    assert ours("all[5:8]", {"train": 6, "test": 4}) == [("train", 5), ("test", 0), ("test", 1)]
    assert ours("all[-1:]", {"train": 6, "test": 4}) == [("test", 3)]


def test_a_split_named_all_is_that_split():
    assert ours("all", {"all": 3, "more": 2}) == [("all", row) for row in range(3)]


@pytest.mark.parametrize("count", [2, 3, 10, 11, 100, 1003, 200_000])
def test_train_and_test_of_one_split_share_no_row_and_leave_none_out(count):
    splits = Splits({"train": count}, "it")
    (train,), (test,) = splits.select("train").parts, splits.select("test").parts
    assert np.array_equal(np.union1d(train.rows, test.rows), np.arange(count))
    assert len(train.rows) + len(test.rows) == count
    assert len(test.rows) == {2: 1, 3: 1, 10: 1, 11: 2, 100: 10, 1003: 101, 200_000: 10_000}[count]


def test_what_is_held_out_is_the_recorded_rule_and_spread_over_all_rows():
    (test,) = Splits({"everything": 1000}, "it").select("test").parts
    order = np.random.Generator(np.random.Philox(DIVISION_SEED)).permutation(1000)
    assert test.rows.tolist() == sorted(order[:100].tolist())
    assert abs(test.rows.mean() - 499.5) < 4 * 1000 / np.sqrt(12 * 100)  # four standard errors of a uniform draw
    assert test.split == "everything"


def test_rows_held_out_are_the_same_every_time():
    first, second = (Splits({"train": 50}, "it").select("test").parts[0].rows for _ in range(2))
    assert first.tolist() == second.tolist() == [0, 5, 24, 27, 35]


def test_slices_of_a_divided_split_are_of_its_parts():
    splits = Splits({"train": 100}, "it")
    (train,), (half,) = splits.select("train").parts, splits.select("train[:50%]").parts
    assert half.rows.tolist() == train.rows[:45].tolist()
    assert half.range is None
    assert splits.select("all").parts[0].range == (0, 100)


def test_prepared_parts_of_one_split_are_disjoint_complete_and_recorded(opened):
    train, test, everything = (opened(split) for split in ("train", "test", "all"))
    assert values(everything) == list(range(40))
    assert sorted(values(train) + values(test)) == list(range(40))
    assert test.count == 4
    division = train.description["division"]
    order = np.random.Generator(np.random.Philox(division["seed"])).permutation(40)
    assert values(test) == sorted(order[: division["held_out"]].tolist())
    assert "division" in everything.description
    assert everything.description["division"] is None
    assert json.loads(json.dumps(test.description["rows"])) == [{"split": "train", "count": 4, "range": None}]


def test_a_slice_of_the_user_s_own_file_has_its_rows(opened):
    assert values(opened("all[3:7]")) == [3, 4, 5, 6]
    assert values(opened("all[-2:]+all[:1]")) == [38, 39, 0]
    assert opened("all[3:7]").description["rows"] == [{"split": "train", "count": 4, "range": [3, 7]}]


def test_what_an_entry_says_of_train_and_test_is_of_the_source_s_own_split():
    splits = Splits({"train": 40}, "it", train="train[:80%]", test="train[80%:]")

    def rows(expression):
        return splits.select(expression).parts[0].rows.tolist()

    assert rows("train") == list(range(32))
    assert rows("test") == list(range(32, 40))
    assert rows("test[:50%]") == list(range(32, 36))
    assert splits.select("train").division is None


def test_an_entry_s_train_may_join_splits():
    splits = Splits({"train": 3, "extra": 2, "test": 1}, "it", train="train+extra")
    assert [(part.split, len(part.rows)) for part in splits.select("train").parts] == [("train", 3), ("extra", 2)]
    assert [(part.split, len(part.rows)) for part in splits.select("train[2:4]").parts] == [("train", 1), ("extra", 1)]
    assert splits.select("test").count == 1


@pytest.mark.parametrize("name", ["validation", "valid", "val"])
def test_a_validation_split_is_taken_as_test_where_there_is_no_test_split(name):
    assert ours("test", {"train": 3, name: 2}) == [(name, 0), (name, 1)]
    assert ours("train", {"train": 3, name: 2}) == [("train", row) for row in range(3)]
    assert ours("test", {"train": 3, name: 2, "test": 1}) == [("test", 0)]


def test_two_splits_without_a_test_split_are_not_divided():
    with pytest.raises(ZooError, match=r"Unknown split of it: 'test'. Available: all, extra, train\."):
        ours("test", {"train": 3, "extra": 2})


def test_an_unknown_split_is_an_error_with_what_there_is():
    with pytest.raises(ZooError, match=r"Unknown split of it: 'tran'. Did you mean 'train'\? Available: all"):
        ours("tran", {"train": 3, "test": 2})


@pytest.mark.parametrize("expression", ["train[2:2]", "train[3:1]", "train[:0]", "train[:0%]", "train[-1:-2]"])
def test_a_split_of_no_rows_is_an_error_with_what_there_is(expression):
    with pytest.raises(ZooError, match=r"The split .* of it has no rows. It has train \(3\), test \(2\)\."):
        ours(expression, {"train": 3, "test": 2})


@pytest.mark.parametrize("expression", ["train[:4]", "train[-4:]", "train[:101%]", "train[-100.5%:]", "all[6:]"])
def test_a_slice_beyond_the_rows_is_refused_rather_than_shortened(expression):
    with pytest.raises(ZooError, match=r"The slice of '(train|all)' in it, which has [35] rows: .* lies beyond them"):
        ours(expression, {"train": 3, "test": 2})
    if not expression.startswith("all"):  # TFDS does not slice `all`
        with pytest.raises(ValueError, match=r"incompatible|should be in"):
            of_tfds(expression, {"train": 3, "test": 2})


def test_rows_and_percentages_are_not_mixed_where_tfds_would_take_rows_for_percentages():
    with pytest.raises(ZooError, match="write 10 and 50% both as rows or both as percents"):
        ours("train[10:50%]", COUNTS)
    assert of_tfds("train[10:50%]", COUNTS) == of_tfds("train[10%:50%]", COUNTS)
    assert ours("train[0:50%]", COUNTS) == of_tfds("train[0:50%]", COUNTS)


@pytest.mark.parametrize(
    "expression",
    [
        *("", "+", "train+", "train[5]", "train[1:2:3]", "train[:a]", "train[", "train]", "train[:5", "train[:5%%]"),
        *("a b", "train[:5.5]", "train[0x1:]", "train[:1e3]", "../x", f"train[:{'9' * 5000}]"),
    ],
)
def test_what_is_no_split_is_an_error_with_examples(expression):
    with pytest.raises(ZooError, match=r"is no split. Write train, test, all.*train\[:80%\]"):
        ours(expression, COUNTS)


def test_a_single_row_trains_and_leaves_nothing_to_test(opened):
    assert values(opened("train", count=1)) == [0]
    assert values(opened("all", count=1)) == [0]
    with pytest.raises(ZooError, match=r"The split 'test' of .* has no rows. It has train \(1\)"):
        opened("test", count=1)


def test_of_two_rows_one_is_held_out(opened):
    train, test = opened("train", count=2), opened("test", count=2)
    assert sorted(values(train) + values(test)) == [0, 1]
    assert train.count == test.count == 1


def test_a_source_without_rows_is_an_error(opened):
    for split in ("train", "test", "all"):
        with pytest.raises(ZooError, match="has no rows"):
            opened(split, count=0)
