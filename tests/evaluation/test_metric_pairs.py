"""Scores of pairs against scikit-image's and by hand; the way there and back; which runs have them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import zoo
from zoo import ZooError
from zoo.data.fields import Field
from zoo.evaluation.metrics import cycle, paired, perceptual
from zoo.evaluation.metrics.contract import Compared, Cycles, Pairs, Side
from zoo.evaluation.translations import has_way_back, pair_count
from zoo.training.trainer import Trainer


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def compared(pairs: Pairs | None = None, cycles: Cycles | None = None) -> Compared:
    side = Side(drawn(9, 4, 16, 16, 3))
    return Compared(side, side, pairs=pairs, cycles=cycles)


@pytest.mark.parametrize("channels", [1, 3])
def test_pairs_have_the_scores_of_scikit_image(channels: int) -> None:
    targets = drawn(0, 5, 20, 16, channels)
    made = ((targets.astype(int) + drawn(1, 5, 20, 16, channels)) // 2).astype("uint8")
    found = {score.name: score for score in paired.measure(compared(Pairs(made, made, targets)))}
    psnr = [peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(targets, made, strict=True)]
    ssim = [
        structural_similarity(
            *pair, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1
        )
        for pair in zip(targets, made, strict=True)
    ]
    assert found["psnr"].value == pytest.approx(np.mean(psnr))
    assert found["ssim"].value == pytest.approx(np.mean(ssim), rel=1e-6)
    assert found["l1"].value == pytest.approx(np.abs(targets / 255 - made / 255).mean())
    assert found["psnr"].deviation == pytest.approx(np.std(psnr, ddof=1) / np.sqrt(5))
    assert {name: each.better for name, each in found.items()} == {"l1": "lower", "psnr": "higher", "ssim": "higher"}


def test_equal_images_are_at_the_ends_of_the_scales() -> None:
    same = drawn(0, 3, 16, 16, 3)
    found = {score.name: score.value for score in paired.measure(compared(Pairs(same, same, same)))}
    assert found == pytest.approx({"l1": 0, "psnr": 100, "ssim": 1})
    assert perceptual.distances(same, same) == pytest.approx(np.zeros(3))


def test_small_images_have_no_ssim_and_a_picture_has_rows_of_source_result_and_target() -> None:
    pairs = Pairs(drawn(0, 3, 4, 4, 1), drawn(1, 3, 8, 8, 3), drawn(2, 3, 8, 8, 3))
    assert [score.name for score in paired.measure(compared(pairs))] == ["l1", "psnr"]
    picture = paired.METRIC.picture(compared(pairs))
    factor = picture.height // (8 + 2 * 2)  # small grids are enlarged
    shown = np.asarray(picture)[::factor, ::factor]
    np.testing.assert_array_equal(shown[2:10, 2:10], pairs.sources[0].repeat(2, 0).repeat(2, 1).repeat(3, 2))
    np.testing.assert_array_equal(shown[2:10, 12:20], pairs.made[0])
    np.testing.assert_array_equal(shown[2:10, 22:30], pairs.targets[0])


def test_the_perceptual_distance_grows_with_noise_and_is_of_unit_vectors_of_each_map() -> None:
    images = drawn(0, 2, 32, 32, 3) // 2 + 64
    noise = np.random.default_rng(1).normal(size=images.shape)
    distances = [
        perceptual.distances(np.clip(images + strength * noise, 0, 255).astype("uint8"), images).mean()
        for strength in (4, 16, 64)
    ]
    assert 0 < distances[0] < distances[1] < distances[2]
    one = np.array([[[[3.0, 4.0], [1.0, 0.0]]]])
    other = np.array([[[[6.0, 8.0], [0.0, 2.0]]]])
    assert perceptual.map_distances(one, other) == pytest.approx([(0 + 2) / 2])
    metric = perceptual.metric()
    assert metric.settings["network"] == "efficientnet-lite0"
    assert not metric.in_features


def test_the_cycle_is_measured_where_there_is_a_way_back() -> None:
    sources = np.zeros((4, 8, 8, 1), "uint8")
    score = cycle.measure(compared(cycles=Cycles(sources, sources + np.uint8(51))))[0]
    assert (score.name, score.value, score.better) == ("cycle_l1", pytest.approx(0.2), "lower")
    both = Cycles(sources, sources, Cycles(sources, sources + np.uint8(102)))
    assert {each.name: each.value for each in cycle.measure(compared(cycles=both))} == pytest.approx(
        {"cycle_l1": 0, "cycle_l1_to_source": 0.4}
    )
    with pytest.raises(ZooError, match="one direction alone"):
        cycle.measure(compared())
    with pytest.raises(ZooError, match="belong to no real ones"):
        paired.measure(compared())


def test_which_generators_make_pairs_and_which_have_a_way_back(make_stack: Callable, tiny_dataset: Callable) -> None:
    plain = tiny_dataset((16, 16, 1), classes=3)
    source = (Field("image", (16, 16, 1)), drawn(0, 40, 16, 16, 1))
    unaligned = replace(plain, others={"source": (replace(source[0], aligned=False), source[1])})
    cases = {
        "pix2pix+edges": (plain, 40, False),
        "pix2pix": (replace(plain, others={"source": source}), 40, False),
        "cyclegan": (unaligned, 0, True),
        "stargan": (plain, 0, False),
        "dcgan": (replace(plain, others={"source": source}), 0, False),
    }
    for text, (data, pairs, cycles) in cases.items():
        generating = Trainer(make_stack(text), data).players.generating
        assert (pair_count(generating, data), has_way_back(generating)) == (pairs, cycles), text


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    """A run of one step, between images and their negatives: 40 to train on, 30 to test on."""
    folder = tmp_path_factory.mktemp("negatives")
    np.savez(folder / "images.npz", samples=drawn(0, 40, 16, 16, 3), test_samples=drawn(1, 30, 16, 16, 3))
    return zoo.run(
        "cyclegan-negative",
        dataset=str(folder / "images.npz"),
        budget=zoo.Budget(1),
        out=folder / "run",
        data_dir=folder,
        settings={"width": 2, "batch_size": 4, "residual_blocks": 1},
        progress=False,
    )


def test_a_run_is_scored_by_its_pairs_each_once_with_the_protocol_and_a_picture(run: zoo.Run) -> None:
    options = zoo.EvaluationOptions(["paired", "cycle"], samples=50)  # of 30 test images
    [evaluation] = zoo.evaluate(run, options=options, progress=False)
    scores = {score["name"]: score for score in evaluation["scores"]}
    assert set(scores) == {"l1", "psnr", "ssim", "cycle_l1", "cycle_l1_to_source"}
    targets = run.held_out.samples
    sources = (255 - targets.astype(int)).astype("uint8")
    made = run.translate(sources)
    assert scores["l1"]["value"] == pytest.approx(np.abs(targets / 255 - made / 255).mean(), abs=1e-3)
    back = run.translate(made, to="source")
    repeated = np.arange(50) % 30
    expected = np.abs(back / 255 - sources / 255).mean(axis=(1, 2, 3))[repeated].mean()
    assert scores["cycle_l1"]["value"] == pytest.approx(expected, abs=1e-3)
    assert scores["ssim"]["protocol"]["settings"]["ssim_window"] == 11
    assert scores["ssim"]["protocol"]["extractor"] is None
    assert Path(evaluation["pictures"]["paired"]).is_file()


def test_the_way_back_is_sampled_and_scored_against_the_sources(run: zoo.Run, tmp_path: Path) -> None:
    targets = run.held_out.samples
    sources = (255 - targets.astype(int)).astype("uint8")
    made = run.translate(targets, to="source")
    back = run.toward("source")
    np.testing.assert_allclose(back.sample(30), made, atol=1)
    assert back.write(count=8).name == "samples-seed-0-to-source.png"
    options = zoo.EvaluationOptions(["paired", "cycle"], samples=30, to="source")
    [evaluation] = zoo.evaluate(run, options=options, progress=False)
    scores = {score["name"]: score["value"] for score in evaluation["scores"]}
    assert scores["l1_to_source"] == pytest.approx(np.abs(sources / 255 - made / 255).mean(), abs=1e-3)
    again = run.translate(made)
    assert scores["cycle_l1_to_source"] == pytest.approx(np.abs(again / 255 - targets / 255).mean(), abs=1e-3)
    assert all(name.endswith("_to_source") for name in scores)
    assert evaluation["pictures"]["paired"].endswith("_to_source.png")
    with pytest.raises(ZooError, match=r"Unknown direction, to: 'sorce'\. Did you mean 'source'"):
        run.toward("sorce")
    with pytest.raises(ZooError, match="--to source is a direction of a run that translates"):
        zoo.evaluate(tmp_path, dataset="fashion_mini", options=options, progress=False)
