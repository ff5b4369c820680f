"""Training with generated images beside the real ones, as NAS-OoD does (ICCV 2021), and with two stand-ins for them."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from natslib.novelty import AT_DESK
from natslib.spaces import SMALL_SCALE
from natslib.training.novel_domain import NovelDomain, form_of
from natslib.training.objectives.objective import Batch, Classifying, Number, Objective, Outcome, Setting


class Enlarged(Objective):
    """Cross-entropy on a batch and on further images, which stand for the first `share` of it; all count the same.

    The risk and what else is reported are of the real images. Without `further` images of its own: duplicates, the
    control that says what larger batches alone are worth.
    """

    name: ClassVar[str] = "duplicates"
    fewest: ClassVar[int] = 1
    numbers: ClassVar[Mapping[str, Number]] = {"share": Number(0.5, 0, 1, base=None)}

    def further(self, some: Batch) -> tuple[Tensor, Tensor | float]:
        """Return images that are added for `some` of the batch, and what is added to the loss."""
        return some.images, 0.0

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return the mean cross-entropy over real and further images."""
        real = len(batch.labels)
        many = round(self.values["share"] * real)
        images, extra = self.further(Batch(*(part[:many] for part in batch)))
        logits = network(torch.cat([batch.images, images]))
        risk = cross_entropy(logits, torch.cat([batch.labels, batch.labels[:many]]))
        seen = logits[:real]
        return Outcome(risk + extra, cross_entropy(seen.detach(), batch.labels), seen, batch.labels)


class Noisy(Enlarged):
    """The other control: the further images are the real ones with normal noise of deviation `size`.

    In units of the prepared images, whose deviation is one.
    """

    name: ClassVar[str] = "noise"
    numbers: ClassVar[Mapping[str, Number]] = {**Enlarged.numbers, "size": Number(0.3, -1, 0)}

    def __init__(self, setting: Setting, values: Mapping[str, float]) -> None:
        super().__init__(setting, values)
        self.generator = torch.Generator().manual_seed(setting.seed)

    def further(self, some: Batch) -> tuple[Tensor, Tensor | float]:
        noise = torch.randn(some.images.shape, generator=self.generator).to(some.images)
        return some.images + self.values["size"] * noise, 0.0


class Generated(Enlarged):
    """The further images are of a novel domain; their generator learns with the network, against it.

    Before the first step the two classifiers that judge it are trained, with the settings of NAS-OoD's search at desk
    size (`natslib.novelty`). The release takes the generator of its search and lets it learn no more.
    """

    name: ClassVar[str] = "generated"
    fewest: ClassVar[int] = 2

    def __init__(self, setting: Setting, values: Mapping[str, float]) -> None:
        super().__init__(setting, values)
        data, device = setting.data, setting.data.train.images.device
        form = form_of(data, f"the objective {self.name}")
        self.novel = NovelDomain(form, AT_DESK, SMALL_SCALE, setting.seed, device)
        generator = torch.Generator().manual_seed(setting.seed)
        self.novel.train_judges(data, data.evaluations["valid"], generator)

    def further(self, some: Batch) -> tuple[Tensor, Tensor | float]:
        drawn = self.novel.judged(*some)
        return self.novel.against(drawn.images), drawn.loss

    def step(self, network: Classifying, optimizer: torch.optim.Optimizer, batch: Batch) -> Outcome:
        """Do one step of the network and of the generator, by one backward pass."""
        self.novel.optimizer.zero_grad()
        outcome = super().step(network, optimizer, batch)
        self.novel.optimizer.step()
        return outcome
