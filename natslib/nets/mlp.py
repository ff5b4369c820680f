"""The perceptron that OoD-Bench trains on small images (CVPR 2022, its Coloured MNIST): a reference beside cells."""

from torch import Tensor, nn

WIDTH = 390


class Mlp(nn.Module):
    """Two hidden layers of 390 units: images (n, in_channels, s, s) -> logits (n, classes)."""

    def __init__(self, in_channels: int, side: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(),
            nn.Linear(in_channels * side * side, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(WIDTH, classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (n, 390) in front of the classifier."""
        return self.body(images)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))
