"""Where samples are too few, the advice says what would give more of them; it is followed here."""

from pathlib import Path

import numpy as np
import pytest

import zoo


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Random images by how many there are."""
    draw = np.random.default_rng(0)
    found = {}
    for name, count in (("few", 5), ("some", 40), ("many", 60)):
        found[name] = tmp_path / f"{name}.npz"
        np.savez(found[name], samples=draw.integers(0, 256, (count, 16, 16, 1), dtype=np.uint8))
    return found


def scored(generated: Path, against: Path, data_dir: Path, **options: int) -> str:
    """The error of an evaluation; "" where there is none."""
    wanted = zoo.EvaluationOptions(metrics=("swd",), data_dir=data_dir, **options)
    try:
        zoo.evaluate(generated, against=against, options=wanted, progress=False)
    except zoo.ZooError as error:
        return str(error)
    return ""


def test_too_few_of_either_side_have_an_advice_that_helps(files: dict[str, Path], data_dir: Path) -> None:
    told = scored(files["some"], files["few"], data_dir)
    assert "there are 5 real ones. Compare with more: --split, --dataset or --against a larger set." in told
    assert scored(files["some"], files["many"], data_dir) == ""
    told = scored(files["few"], files["many"], data_dir)
    assert "there are 5 generated ones. Score more files." in told
    told = scored(files["some"], files["many"], data_dir, samples=5)
    assert "Take more: --samples N." in told
    told = scored(files["some"], files["many"], data_dir, samples=30, real_samples=5)
    assert "there are 5 real ones. Take more: --real-samples N." in told
    assert scored(files["some"], files["many"], data_dir, samples=30, real_samples=30) == ""
