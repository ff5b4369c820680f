"""What a weight-sharing search is told, besides its data and its seed."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from natslib.novelty import Novelty
from natslib.spaces import Scale


@dataclass(frozen=True)
class Settings:
    """Everything that a weight-sharing search is told, besides its data and its seed.

    `running_statistics`: of the batch norms in the cells. `ordinary_last_norm`: the last batch norm is affine and has
    running statistics, as a candidate's. `halves`: the two halves of the training images are searched on, whatever
    the dataset. `batch` in images, `valid_batch` that of the batches that candidates are scored on; `valid_augmented`:
    these are augmented as training images. The learning rate goes from `learning_rate` to `learning_rate_min` and,
    after `cosine_epochs`, back. `clip`: largest norm of the weights' gradient. `alphas_first`: the architecture
    parameters learn before the weights (DARTS). `arch_*`: Adam of the architecture parameters or of the controller.
    `tau_*`: first and last temperature. `one_cell`: a step draws one cell for the whole network, with nodes that
    nothing enters (RSPS). `candidates`: number that is scored for the final choice; `epoch_candidates`: for that after
    each epoch before (ENAS). `warm_up`: share of the epochs that train only weights (size space). `baseline_decay`: of
    the moving average reward; `last_baseline`: an epoch takes over the last draw's, not the mean (ENAS).
    `controller_*`: updates an epoch, candidates an update, gradient norm and weight of the entropy in the reward
    (ENAS). `tune_*`: epochs between projections, learning rate meanwhile (DARTS-PT). `scored`: number of
    architectures that the finished supernet scores. `novelty`: how images of a novel domain are drawn (NAS-OoD alone).
    """

    name: str
    scale: Scale
    running_statistics: bool
    ordinary_last_norm: bool
    halves: bool
    epochs: int
    batch: int
    valid_batch: int
    valid_augmented: bool
    learning_rate: float
    learning_rate_min: float
    cosine_epochs: int
    momentum: float
    nesterov: bool
    weight_decay: float
    clip: float
    alphas_first: bool
    arch_learning_rate: float
    arch_betas: tuple[float, float]
    arch_eps: float
    arch_weight_decay: float
    tau_max: float
    tau_min: float
    one_cell: bool
    candidates: int
    epoch_candidates: int
    warm_up: float
    baseline_decay: float
    last_baseline: bool
    controller_updates: int
    controller_samples: int
    controller_clip: float
    controller_entropy: float
    tune_epochs: int
    tune_learning_rate: float
    scored: int
    novelty: Novelty | None = None

    def learning_rate_of(self, epoch: int) -> float:
        """Return the weights' learning rate in an epoch (counted from 0): a cosine, stepped once an epoch."""
        height = 0.5 * (1 + math.cos(math.pi * epoch / self.cosine_epochs))
        return self.learning_rate_min + (self.learning_rate - self.learning_rate_min) * height

    def temperature(self, epoch: int) -> float:
        """Return the temperature of an epoch: linear from `tau_max` in the first to `tau_min` in the last."""
        return self.tau_max - (self.tau_max - self.tau_min) * epoch / max(self.epochs - 1, 1)

    def as_json(self) -> dict[str, Any]:
        """Return the settings in JSON's types; those of a novel domain, if any, beside the others."""
        told = asdict(self)
        told |= told.pop("novelty") or {}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in told.items()}
