"""LPIPS with random weights in files of the published layout, against the paper's formula in NumPy; its files."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch_files import save

from zoo import ZooError
from zoo.base import weights as base_weights
from zoo.base.progress import Silent
from zoo.catalogue import read_catalogue
from zoo.evaluation.metrics.contract import Compared, Pairs, Side
from zoo.evaluation.metrics.learned import metric_of
from zoo.evaluation.metrics.selection import every_metric
from zoo.feature_networks import lpips

SHIFT, SCALE = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
# torchvision's layers in their order: number, kernel and width (an eighth of it) of a convolution, or a pool's window
ALEX = [(0, 11, 8), 3, (3, 5, 24), 3, (6, 3, 48), (8, 3, 32), (10, 3, 32)]
VGG = [
    (0, 3, 8), (2, 3, 8), 2, (5, 3, 16), (7, 3, 16), 2, (10, 3, 32), (12, 3, 32), (14, 3, 32),
    2, (17, 3, 64), (19, 3, 64), (21, 3, 64), 2, (24, 3, 64), (26, 3, 64), (28, 3, 64),
]  # fmt: skip
LAYERS = {"alex": ALEX, "vgg": VGG}
ENDS = {"alex": (0, 3, 6, 8, 10), "vgg": (2, 7, 14, 21, 28)}  # after whose ReLU a map is taken


def windows(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """(N, h, w, C, size, size) of (N, H, W, C)."""
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def numpy_maps(name: str, state: Mapping[str, np.ndarray], x: np.ndarray) -> list[np.ndarray]:
    found = []
    for layer in LAYERS[name]:
        if isinstance(layer, int):
            x = windows(x, layer, 2).max(axis=(-1, -2))
            continue
        number, size, _ = layer
        stride, padding = (4, 2) if size == 11 else (1, size // 2)
        x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
        kernel, bias = state[f"features.{number}.weight"], state[f"features.{number}.bias"]
        x = np.maximum(np.einsum("nhwcij,ocij->nhwo", windows(x, size, stride), kernel, optimize=True) + bias, 0)
        found += [x] if number in ENDS[name] else []
    return found


def expected(name: str, state: dict, linear: dict, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Zhang et al. 2018, equation 1."""
    sides = [numpy_maps(name, state, ((each / 127.5 - 1) - SHIFT) / SCALE) for each in (one, other)]
    total = np.zeros(len(one))
    for level, (a, b) in enumerate(zip(*sides, strict=True)):
        a, b = (each / (np.sqrt(np.square(each).sum(-1, keepdims=True)) + 1e-10) for each in (a, b))
        weighted = linear[f"lin{level}.model.1.weight"][0, :, 0, 0] * np.square(a - b)
        total += weighted.sum(-1).mean((1, 2))
    return total


def state_of(name: str) -> tuple[dict, dict]:
    draw = np.random.default_rng(5)
    state, linear, channels = {}, {}, 3
    for layer in LAYERS[name]:
        if isinstance(layer, int):
            continue
        number, size, width = layer
        state[f"features.{number}.weight"] = draw.normal(0, np.sqrt(2 / channels) / size, (width, channels, size, size))
        state[f"features.{number}.bias"] = draw.normal(0, 0.1, width)
        channels = width
        if number in ENDS[name]:
            linear[f"lin{len(linear)}.model.1.weight"] = draw.uniform(0, 1, (1, width, 1, 1))
    state["classifier.6.bias"] = np.zeros(3)
    return ({key: each.astype("float32") for key, each in given.items()} for given in (state, linear))


@pytest.fixture(params=["alex", "vgg"])
def network(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict, dict]:
    """A network's name and random weights, whose files lie in the cache as if they had been published."""
    name = request.param
    state, linear = state_of(name)
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path))
    monkeypatch.setattr(base_weights, "TORCH_HUB", tmp_path / "torch")
    backbone = lpips.BACKBONES[name]
    changed = {}
    for kind, tensors in {"convolutions": state, "linear": linear}.items():
        file = getattr(backbone, kind)
        content = save(tmp_path / file.names[0], tensors).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        changed[kind] = replace(
            file, size=len(content), sha256=digest, addresses=(f"http://localhost:9/{file.names[0]}",)
        )
    monkeypatch.setitem(lpips.BACKBONES, name, replace(backbone, **changed))
    return name, state, linear


def test_the_distance_is_the_papers(network: tuple[str, dict, dict]) -> None:
    name, state, linear = network
    channels = {"alex": 1, "vgg": 3}[name]
    draw = np.random.default_rng(0)
    targets = draw.integers(0, 256, (2, 64, 70, channels), dtype=np.uint8)
    made = ((targets.astype(int) + draw.integers(0, 256, targets.shape)) // 2).astype("uint8")
    wanted = expected(name, state, linear, *(np.repeat(each, 3 // channels, axis=-1) for each in (made, targets)))
    metric = metric_of(name)
    metric.prepare(Silent())
    [score] = metric.measure(Compared(Side(targets), Side(made), pairs=Pairs(made, made, targets)))
    assert score.name == f"lpips_{name}"
    assert score.better == "lower"
    assert score.value == pytest.approx(wanted.mean(), rel=1e-5)
    assert score.deviation == pytest.approx(wanted.std(ddof=1) / np.sqrt(2), rel=1e-4)
    backbone = lpips.BACKBONES[name]
    assert metric.settings == {
        "version": "0.1", "network": name, "smallest": 64,
        "convolutions_sha256": backbone.convolutions.sha256, "linear_sha256": backbone.linear.sha256,
    }  # fmt: skip


def test_files_that_are_missing_or_others_are_told_before_anything_is_measured(
    network: tuple[str, dict, dict], tmp_path: Path
) -> None:
    metric = metric_of(network[0])
    linear = tmp_path / lpips.BACKBONES[network[0]].linear.names[0]
    right = linear.read_bytes()
    linear.write_bytes(right[:-1] + b"?")
    with pytest.raises(ZooError, match=r"are damaged or other ones: .* Remove the file, so that it is fetched anew\.$"):
        metric.prepare(Silent())
    linear.unlink()
    with pytest.raises(ZooError, match=r"(?s)could not be downloaded.*Put the file into .* --metrics perceptual\.$"):
        metric.prepare(Silent())


def test_weights_of_channels_that_are_none_are_refused() -> None:
    state, linear = state_of("alex")
    linear["lin2.model.1.weight"] = linear["lin2.model.1.weight"][..., 0]
    with pytest.raises(ZooError, match=r"'lin2.model.1.weight' should be \(1, C, 1, 1\), not \(1, 48, 1\)"):
        lpips.channel_weights(lpips.BACKBONES["alex"], linear)
    with pytest.raises(ZooError, match=r"The weights lack 'features\.3\.weight'"):
        lpips.maps(lpips.BACKBONES["alex"], {k: v for k, v in state.items() if "3" not in k}, (64, 64, 3), None)


def test_it_is_measured_where_it_is_named_alone() -> None:
    metrics = every_metric(read_catalogue())
    assert [name for name, each in metrics.items() if each.prepare is not None] == ["lpips-alex", "lpips-vgg"]
    assert not metrics["lpips-alex"].default
    assert not metrics["lpips-vgg"].default
