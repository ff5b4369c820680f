"""NAS-OoD's networks around the search: a generator of images of another domain, and a small classifier (ICCV 2021)."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, pad, relu

from natslib.spaces import Scale

DOWN_SAMPLED_FROM = 16
"""The side in pixels from which on the generator works at a quarter of the resolution."""


def _normed(convolution: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.InstanceNorm2d(width, affine=True), nn.ReLU())


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            _normed(nn.Conv2d(width, width, 3, padding=1), width),
            nn.Conv2d(width, width, 3, padding=1),
            nn.InstanceNorm2d(width, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class Generator(nn.Module):
    """Draws images of one domain anew as images of another: (n, channels, s, s) -> the same shape.

    Domains count from 0; the last of `domains` is the one that no image comes from. 64 channels at the paper's scale,
    16 at the small one. Images of 16 pixels and more are worked on at a quarter of their side (three residual blocks),
    smaller ones as they are (two). What is drawn is a change of at most one, in the units of the prepared images.
    """

    def __init__(self, channels: int, domains: int, side: int, scale: Scale) -> None:
        super().__init__()
        width, self.domains = scale.channels**2 // 4, domains
        # A quarter of a side must be a whole number of pixels.
        self.short = -side % 4 if side >= DOWN_SAMPLED_FROM else 0
        self.first = _normed(nn.Conv2d(channels, width, 7, padding=3), width)
        deep = 4 * width if side >= DOWN_SAMPLED_FROM else width
        # No norm here: it would subtract the maps of the domains, which are constant over an image.
        if side >= DOWN_SAMPLED_FROM:
            self.join = nn.Conv2d(width + 2 * domains, 2 * width, 4, stride=2, padding=1)
            down = [_normed(nn.Conv2d(2 * width, deep, 4, stride=2, padding=1), deep)]
            up = [
                _normed(nn.ConvTranspose2d(deep, 2 * width, 4, stride=2, padding=1), 2 * width),
                _normed(nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), width),
            ]
        else:
            self.join = nn.Conv2d(width + 2 * domains, width, 3, padding=1)
            down, up = [], []
        blocks = [_Residual(deep) for _ in range(3 if down else 2)]
        self.body = nn.Sequential(*down, *blocks, *up)
        self.last = nn.Conv2d(width, channels, 7, padding=3)

    def forward(self, images: Tensor, source: Tensor, target: Tensor) -> Tensor:
        """Return images of the domains `target` drawn after `images` of the domains `source`, int64 (n,) each."""
        pair = torch.cat([one_hot(some, self.domains) for some in (source, target)], 1).to(images)
        features = self.first(pad(images, (0, self.short, 0, self.short)))
        maps = pair[:, :, None, None].expand(-1, -1, *features.shape[2:])
        drawn = self.body(relu(self.join(torch.cat([features, maps], 1))))
        height, width = images.shape[2:]
        return images + torch.tanh(cast(Tensor, self.last(drawn)[:, :, :height, :width]))


class SmallClassifier(nn.Module):
    """Four blocks of convolution, norm and ReLU, halved down to two pixels a side: (n, channels, s, s) -> logits.

    64 channels at the paper's scale, 32 at the small one.
    """

    def __init__(self, channels: int, classes: int, side: int, scale: Scale) -> None:
        super().__init__()
        width, blocks = 4 * scale.channels, []
        for _ in range(4):
            blocks += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
            if side > 2:
                blocks.append(nn.MaxPool2d(2))
                side //= 2
        self.body, self.classifier = nn.Sequential(*blocks), nn.Linear(width, classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (n, width) that the classes are told by."""
        return cast(Tensor, self.body(images)).mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.classifier(self.features(images)))
