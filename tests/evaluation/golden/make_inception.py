"""Writes what the reference implementations say of random weights and images; needs torch, none of which the tests do.

    PYTHONPATH=tests/evaluation:FOLDER python tests/evaluation/golden/make_inception.py

FOLDER holds torch-fidelity 0.4.0 and clean-fid 0.1.35, unpacked. The committed numbers were made with torch 2.14.1,
torchvision 0.29.1 and pytorch-fid 0.3.0.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytorch_fid.inception
import torch
from cleanfid.resize import make_resizer
from inception_weights import SHAPES, random_images, random_weights
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

HERE = Path(__file__).parent
SIZE = 299
SMALL = 11  # pixels, to which small images are resized for the tests of resizing alone
Arrays = dict[str, np.ndarray]


def write_shapes() -> None:
    """The names and shapes of the weights, as pytorch-fid's network has them."""
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: {}
    torch.nn.Module.load_state_dict, kept = lambda *_, **__: None, torch.nn.Module.load_state_dict
    network = pytorch_fid.inception.fid_inception_v3()
    torch.nn.Module.load_state_dict = kept
    shapes = {name: list(each.shape) for name, each in network.state_dict().items() if "num_batches" not in name}
    SHAPES.write_text("{\n" + ",\n".join(f"  {json.dumps(n)}: {json.dumps(s)}" for n, s in shapes.items()) + "\n}\n")


def networks() -> tuple[torch.nn.Module, torch.nn.Module, torch.nn.Module]:
    """torch-fidelity's, pytorch-fid's, and pytorch-fid's without resize and normalization."""
    weights = {name: torch.from_numpy(each) for name, each in random_weights().items()}
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: weights
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.pth"
        torch.save(weights, file)
        fidelity = FeatureExtractorInceptionV3("random", ["2048", "logits_unbiased"], str(file))
    plain = pytorch_fid.inception.InceptionV3(resize_input=False, normalize_input=False)
    return fidelity.eval(), pytorch_fid.inception.InceptionV3().eval(), plain.eval()


def features(images: np.ndarray) -> Arrays:
    """By preparation, and the logits."""
    fidelity, fid, plain = networks()
    colours = images.repeat(3, axis=-1) if images.shape[-1] == 1 else images
    torch_images = torch.from_numpy(colours.transpose(0, 3, 1, 2).copy())
    resize = make_resizer("PIL", False, "bicubic", (SIZE, SIZE))
    clean = torch.from_numpy(np.stack([resize(each) for each in colours]).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        tf1, logits = fidelity(torch_images)
        return {
            "tf1": tf1.numpy(),
            "logits": logits.numpy(),
            "pytorch": fid(torch_images.float() / 255)[0].numpy()[:, :, 0, 0],
            "clean": plain((clean - 128) / 128)[0].numpy()[:, :, 0, 0],
        }


def resized(images: torch.Tensor) -> Arrays:
    """(B, C, 11, 11) by the two ways for which no other oracle is installed where the tests run."""
    return {
        "tf1": interpolate_bilinear_2d_like_tensorflow1x(images, size=(SMALL, SMALL), align_corners=False).numpy(),
        "pytorch": torch.nn.functional.interpolate(images, size=(SMALL, SMALL), mode="bilinear").numpy(),
    }


def main() -> None:
    """Write inception_shapes.json, inception.npz and resizing.npz."""
    write_shapes()
    answers = {
        f"{name}/{kind}": each for name, images in random_images().items() for kind, each in features(images).items()
    }
    np.savez_compressed(HERE / "inception.npz", **answers)
    draw = np.random.default_rng(0)
    sizes = ((5, 7), (7, 30), (40, 23), (11, 3))
    inputs = {f"{height}x{width}": draw.integers(0, 256, (2, 3, height, width), "uint8") for height, width in sizes}
    made = {f"{name}/input": each for name, each in inputs.items()}
    for name, each in inputs.items():
        made |= {f"{name}/{kind}": array for kind, array in resized(torch.from_numpy(each).float()).items()}
    np.savez_compressed(HERE / "resizing.npz", **made)


if __name__ == "__main__":
    main()
