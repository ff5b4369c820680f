"""Training on a CUDA device at the paper's scale: images a second beside a plain loop with a DataLoader.

`python -m bench.gpu` measures ten topology cells and ten size networks, batch 256, images as CIFAR-10's (random pixels:
the arithmetic is the same). Natslib one candidate at a time and, topology cells, all at once; networks of the size
space differ in their widths and are trained one at a time. The plain loop: float32, one candidate, four workers that
flip, crop and normalise image by image. `--device cpu --images 256 --archs 2` runs the same code without a GPU, as a
check of the script: the numbers mean nothing.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from torch.utils.data import DataLoader, Dataset

from bench.report import Line, print_report
from natslib.datasets import get_dataset
from natslib.nets import Network, build_network, count_flops
from natslib.spaces import PAPER_SCALE, get_space
from natslib.training import ImageSet, Recipe, Split, get_recipe, train, train_many
from natslib.training.device import ready_device
from natslib.training.paper_sets import CIFAR10_NORM

SEED, WORKERS = 777, 4
EPOCHS = 2
"""The first warms up, the last is timed."""


def measure(device: torch.device, n_images: int, n_archs: int) -> list[Line]:
    """Return the lines on training, `n_archs` networks of each space and `n_images` images an epoch."""
    ready_device(str(device))
    data, recipe = cifar_like(n_images), replace(get_recipe("12", small=False), epochs=EPOCHS)
    peak = peak_macs_per_s(device)
    return [
        line for space in ("tss", "sss") for line in space_lines(space, data, recipe, device, n_archs, peak)
    ]


def space_lines(
    space: str, data: ImageSet, recipe: Recipe, device: torch.device, n_archs: int, peak: float
) -> list[Line]:
    """Return, for each way natslib trains a space, how many times the plain loop's images a second it reaches."""
    on_device = data.to(device)
    per_image = 3 * np.mean(
        [count_flops(network, 3, data.resolution) for network in networks(space, n_archs)]
    )
    plain = rate(data, [plain_epoch_s(network, data, recipe, device) for network in networks(space, n_archs)])
    alone = [
        train(network, on_device, recipe, SEED)["train"].time_s[-1] for network in networks(space, n_archs)
    ]
    ways = {"one at a time": rate(data, alone)}
    if space == "tss":
        curves = train_many(networks(space, n_archs), on_device, recipe, SEED)
        ways[f"{n_archs} at once"] = rate(data, [curve["train"].time_s[-1] for curve in curves])
    return [
        Line(
            f"{space}, {way} / plain loop",
            own / plain,
            ">= 10" if way != "one at a time" else "",
            f"{own:.0f}, {plain:.0f} images/s; {100 * own * per_image / peak:.1f} % of the measured peak",
        )
        for way, own in ways.items()
    ]


def rate(data: ImageSet, epoch_s: list[float]) -> float:
    """Return the images a second over an epoch of every network."""
    return len(data.train) * len(epoch_s) / sum(epoch_s)


def networks(space: str, n_archs: int) -> list[Network]:
    """Return networks of architectures drawn with a fixed seed, with fresh weights."""
    codes = get_space(space).sample(np.random.default_rng(0), n_archs).tolist()
    return [build_network(space, tuple(code), in_channels=3, classes=10, scale=PAPER_SCALE) for code in codes]


def cifar_like(n_images: int) -> ImageSet:
    """Return `n_images` of random pixels and labels, in CIFAR-10's form, and nothing to evaluate on."""
    rng, facts = np.random.default_rng(0), get_dataset("cifar10")
    images = rng.integers(0, 256, (n_images, facts.resolution, facts.resolution, 3), dtype=np.uint8)
    labels = rng.integers(0, facts.classes, n_images)
    split = Split(torch.from_numpy(images), torch.from_numpy(labels))
    return ImageSet("cifar10", facts.classes, split, {}, *CIFAR10_NORM, shift=4, flip=True)


class PlainImages(Dataset[tuple[Tensor, Tensor]]):
    """Prepares one image after another, as a first attempt would."""

    def __init__(self, data: ImageSet) -> None:
        self.images, self.labels, self.shift = data.train.images, data.train.labels, data.shift
        self.mean, self.std = torch.tensor(data.mean)[:, None, None], torch.tensor(data.std)[:, None, None]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        image = self.images[number].permute(2, 0, 1)
        if torch.rand(()) < 0.5:
            image = image.flip(2)
        row, column = torch.randint(0, 2 * self.shift + 1, (2,)).tolist()
        side = image.shape[1]
        crop = pad(image, [self.shift] * 4)[:, row : row + side, column : column + side]
        return (crop.float() - self.mean) / self.std, self.labels[number]


def plain_epoch_s(network: Network, data: ImageSet, recipe: Recipe, device: torch.device) -> float:
    """Return the wall time of the second epoch of a plain loop."""
    network = network.to(device).train()
    optimizer = torch.optim.SGD(
        network.parameters(), recipe.learning_rate, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    loader = DataLoader(
        PlainImages(data),
        recipe.batch,
        shuffle=True,
        num_workers=WORKERS,
        pin_memory=device.type == "cuda",
        persistent_workers=True,
    )
    start = 0.0
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = cross_entropy(network(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            loss.item()
    return time.perf_counter() - start


def peak_macs_per_s(device: torch.device) -> float:
    """Return the multiply-accumulates a second of large matrix products, as exact as cuDNN's convolutions (TF32)."""
    side = 8192 if device.type == "cuda" else 1024
    left, right = torch.rand(2, side, side, device=device)
    torch.set_float32_matmul_precision("high")
    fastest_s = min(seconds(lambda: left @ right, device) for _ in range(5))
    torch.set_float32_matmul_precision("highest")
    return side**3 / fastest_s


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the wall time of `work`, to the end of what it started on the device."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser("bench.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cpu to check the script itself (cuda)")
    parser.add_argument("--images", type=int, default=25_600, help="images an epoch (25600)")
    parser.add_argument("--archs", type=int, default=10, help="networks of each space (10)")
    args = parser.parse_args()
    print_report(measure(torch.device(args.device), args.images, args.archs))


if __name__ == "__main__":
    main()
