"""What a score may be called, and which scores compare."""

import copy
import json
from pathlib import Path

import pytest

from zoo import ZooError
from zoo.evaluation.arrays import new_array
from zoo.evaluation.evaluation_file import EvaluationFile
from zoo.evaluation.names import score_name
from zoo.evaluation.protocol import Protocol, check_comparable, protocol_differences

REAL = {"dataset": "mnist", "split": "test", "fingerprint": "abc", "count": 100, "sample_shape": (28, 28, 1)}
GENERATED = {"count": 50, "weights": "averaged where kept", "averaged": True, "batch_norm": "inference"}
PROTOCOL = Protocol(
    extractor={"name": "net", "sha256": "1", "preparation": "plain"},
    real=REAL,
    generated=GENERATED,
    seed=0,
).of_score(True, {"subsets": 10})


def test_fid_and_is_are_names_of_inceptions_scores_alone() -> None:
    assert [score_name(name, "inception") for name in ("fd", "is", "kid")] == ["fid", "is", "kid"]
    assert score_name("precision", "inception") == "precision_inception"
    others = {score_name(name, extractor) for name in ("fd", "is", "kid") for extractor in ("inception2", "digits")}
    assert not others & {"fid", "is", "kid"}
    assert score_name("fd", "efficientnet-lite0") == "fd_efficientnet-lite0"
    assert score_name("swd", None) == "swd"


CHANGES = {
    "the extractor's weights": ("extractor", "sha256", "2"),
    "the preparation": ("extractor", "preparation", "clean"),
    "the real samples": ("real", "fingerprint", "def"),
    "the count of real samples": ("real", "count", 200),
    "the count of generated samples": ("generated", "count", 51),
    "the weights": ("generated", "weights", "raw"),
    "a metric's constant": ("settings", "subsets", 11),
}


@pytest.mark.parametrize("case", CHANGES)
def test_scores_that_differ_in_anything_but_the_draw_do_not_compare(case: str) -> None:
    part, key, value = CHANGES[case]
    other = copy.deepcopy(PROTOCOL)
    other[part][key] = value
    assert f"{part}.{key}" in " ".join(protocol_differences(PROTOCOL, other))
    scores = [("one", {"name": "fd_net", "protocol": PROTOCOL}), ("two", {"name": "fd_net", "protocol": other})]
    with pytest.raises(ZooError, match="The fd_net of one and of two can't be compared"):
        check_comparable(scores)


def test_another_seed_and_another_name_of_the_same_data_compare() -> None:
    other = copy.deepcopy(PROTOCOL) | {"seed": 7}
    other["real"]["dataset"] = "./mnist.npz"
    assert protocol_differences(PROTOCOL, other) == []


def test_a_run_that_keeps_no_average_compares_with_one_that_does() -> None:
    other = copy.deepcopy(PROTOCOL)
    other["generated"]["averaged"] = False
    assert protocol_differences(PROTOCOL, other) == []


def test_what_is_measured_in_pixels_does_not_depend_on_the_extractor() -> None:
    one, other = (
        Protocol(
            {"name": name, "sha256": name, "preparation": ""}, REAL, {"count": 5, "weights": "raw", "batch_norm": ""}, 0
        ).of_score(False, {})
        for name in ("a", "b")
    )
    assert protocol_differences(one, other) == []


def test_a_damaged_file_of_scores_is_told(tmp_path: Path) -> None:
    file = EvaluationFile(tmp_path / "evaluation.json")
    assert file.read() == []
    for text in ("{", "[]", json.dumps({"format": 99, "evaluations": []})):
        file.path.write_text(text)
        with pytest.raises(ZooError, match="is damaged or of another version"):
            file.read()


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import disk_usage

    usage = disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type(usage)(usage.total, usage.used, 2**26 + 999))
    assert new_array(tmp_path / "fits.npy", "float32", (200, 1)).shape == (200, 1)
    with pytest.raises(ZooError, match="0 MB are needed for 300 samples"):
        new_array(tmp_path / "large.npy", "float32", (300, 1))
    assert not (tmp_path / "large.npy").exists()
