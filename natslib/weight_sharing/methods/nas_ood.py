"""NAS-OoD: the supernet learns on images of a novel domain that a generator draws against it (Bai et al., ICCV 2021).

Faithful to the equations. Left out of the release: the edges are mixed by softmax, as in every search here, and not
recovered by LASSO (ISTA-NAS), for a cell has one operation an edge; the stage that trains a frozen cell on is what a
recipe is for. Of its quirks: the line that does not parse (a: read as it was meant, with the classifier's loss); the
choice of the checkpoint on the target domain (c: no search here sees its images); auxiliary logits that are not used
(d); the generator's two steps between two backward passes (e: one pass, one step); weights left out of the optimizer by
their name (f); shipped genotypes that are ISTA-NAS's (g); an entry for one cloud and CUDA alone (h). That ω and α learn
on the same batch (b) is kept in `nas-ood`; `nas-ood-bilevel` is what the paper writes.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.errors import ConfigError
from natslib.training.novel_domain import LOSSES, Drawn, Form, NovelDomain, Novelties, form_of
from natslib.weight_sharing.data import SearchData
from natslib.weight_sharing.method import Batch, Losses, ValidBatches, result_of
from natslib.weight_sharing.methods.darts import DartsV1
from natslib.weight_sharing.settings import Settings


class NasOod(DartsV1):
    """The release's single level: weights and mixture descend, the generator ascends, on one loss of training images.

    `novel`: the generator and the classifiers that judge it, once the search is prepared.
    """

    name: ClassVar[str] = "nas-ood"

    def __init__(self, network: Any, settings: Settings, generator: torch.Generator) -> None:
        super().__init__(network, settings, generator)
        if settings.novelty is None:
            raise ConfigError(
                f"the settings {settings.name!r} do not say how {self.name} draws a novel domain"
            )
        self.novelty = settings.novelty
        self.novel: NovelDomain | None = None
        self.novelties = Novelties(*[torch.nan] * 5)
        self._seen: list[tuple[Tensor, int]] = []

    def prepare(self, data: SearchData) -> None:
        """Train the classifiers of classes and of domains; raises `ConfigError` where there are no two domains."""
        self.novel = self._build(form_of(data.train, self.name))
        self.novel.train_judges(data.train, data.valid.train, self.generator)

    def _build(self, form: Form) -> NovelDomain:
        seed = int(torch.randint(2**31, (), generator=self.generator))
        return NovelDomain(form, self.novelty, self.settings.scale, seed, self.device)

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self._seen = []

    def step(self, train: Batch, valid: Batch) -> Losses:
        assert self.arch_optimizer is not None
        novel, drawn = self.judged(train)
        logits = self.network(novel.mixed(novel.against(drawn.images), train.images), self.mixture())
        loss = cross_entropy(logits, train.labels)
        self.descend(loss + drawn.loss, self.weight_optimizer, self.arch_optimizer, novel.optimizer)
        many = novel.drawn_of(len(train.labels))
        self.see(drawn, cross_entropy(logits[:many].detach(), train.labels[:many]), len(train.labels))
        return Losses(*result_of(logits, train.labels, loss), *self.unseen)

    def judged(self, batch: Batch) -> tuple[NovelDomain, Drawn]:
        """Return the novel domain and the images of it that are drawn after a batch."""
        assert self.novel is not None
        assert batch.domains is not None
        return self.novel, self.novel.judged(batch.images, batch.labels, batch.domains)

    def descend(self, loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
        """Do one step of each optimizer, and of nothing else, by one backward pass."""
        groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=False)
        loss.backward(inputs=[parameter for group in groups for parameter in group["params"]])
        if self.weight_optimizer in optimizers:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        for optimizer in optimizers:
            optimizer.step()

    def see(self, drawn: Drawn, loss: Tensor, images: int) -> None:
        """Keep what a step showed for the record of the epoch; `loss`: of the network on what was drawn."""
        self._seen.append((torch.cat([drawn.losses, loss.detach()[None]]), images))

    def end_epoch(self, valid_batches: ValidBatches) -> None:
        """Compare images drawn after the held-out ones with these."""
        assert self.novel is not None
        whole = zip(*valid_batches.whole(), strict=True)
        self.novelties = self.novel.novelties(*(torch.cat(part) for part in whole))

    def record(self) -> dict[str, Any]:
        """Return the mean losses of an epoch's steps, what `end_epoch` compared, and the accuracies of C and D.

        `synthetic_loss`: the network's on drawn images; NaN before the first epoch.
        """
        assert self.novel is not None
        names = (*LOSSES, "synthetic_loss")
        total = sum(images for _, images in self._seen)
        means = [torch.nan] * len(names)
        if total:
            means = torch.stack([seen * (images / total) for seen, images in self._seen]).sum(0).tolist()
        accuracies = zip(("class_accuracy", "domain_accuracy"), self.novel.accuracies, strict=True)
        return dict(zip(names, means, strict=True)) | self.novelties._asdict() | dict(accuracies)

    def kept(self) -> dict[str, Any]:
        assert self.novel is not None
        return {"generator.pt": self.novel.kept()}

    def state_dict(self) -> dict[str, Any]:
        assert self.novel is not None
        return super().state_dict() | {"novel": self.novel.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.novel = self._build(Form(*state["novel"]["form"]))
        self.novel.load_state_dict(state["novel"])


class NasOodBilevel(NasOod):
    """The paper's two levels: the weights learn on training images, real and drawn, the other two on held-out ones.

    min over α of max over G of the loss on G(held-out images) with the weights that are best on training images.
    """

    name: ClassVar[str] = "nas-ood-bilevel"

    def step(self, train: Batch, valid: Batch) -> Losses:
        assert self.arch_optimizer is not None
        assert self.novel is not None
        assert train.domains is not None
        with torch.no_grad():
            images = self.novel.mixed(self.novel.draw(train.images, train.domains), train.images)
        trained = self.weight_step(self.network(images, self.mixture().detach()), train.labels)
        novel, drawn = self.judged(valid)
        logits = self.network(novel.against(drawn.images), self.mixture())
        loss = cross_entropy(logits, valid.labels)
        self.descend(loss + drawn.loss, self.arch_optimizer, novel.optimizer)
        self.see(drawn, loss, len(valid.labels))
        return Losses(*trained, *result_of(logits, valid.labels, loss))


class NasOodNoReversal(NasOod):
    """The ablation: the generator descends on the network's loss with it."""

    name: ClassVar[str] = "nas-ood-no-reversal"


class NasOodNoTransport(NasOod):
    """The ablation: nothing pushes the drawn images away from the sources but the network's loss."""

    name: ClassVar[str] = "nas-ood-no-transport"


class NasOodNoCycle(NasOod):
    """The ablation: an image need not come back from the novel domain."""

    name: ClassVar[str] = "nas-ood-no-cycle"
