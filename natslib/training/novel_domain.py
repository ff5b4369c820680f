"""A generator of images of a domain that no image comes from, and the two frozen classifiers that it is judged by."""

import warnings
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, l1_loss, normalize

from natslib.errors import ConfigError
from natslib.nets.generator import Generator, SmallClassifier
from natslib.nets.reversal import reverse
from natslib.nets.transport import transport
from natslib.novelty import AT_DESK, Novelty
from natslib.spaces import SMALL_SCALE, Scale
from natslib.training.environments import need_sources
from natslib.training.images import ImageSet, Split, augmented_epoch, draw_plan, normalise

SMALLEST_SIDE = 8
#: How the classifiers learn: SGD.
JUDGE_RATE, JUDGE_MOMENTUM, JUDGE_BATCH = 0.01, 0.9, 64
COMPARED = 128
"""The number of images of a domain that transport is measured on where nothing learns from it."""
LOSSES = ("cycle_loss", "label_loss", "transport")
"""The parts of the generator's loss, unweighed (`Drawn.losses`)."""


class Form(NamedTuple):
    """The shape of the images and their labels: channels, side in pixels, classes, domains they come from."""

    channels: int
    side: int
    classes: int
    domains: int


class Drawn(NamedTuple):
    """Images of the novel domain (n, channels, s, s), the generator's own loss on them, and its `LOSSES`, (3,)."""

    images: Tensor
    loss: Tensor
    losses: Tensor


class Novelties(NamedTuple):
    """How drawn images compare with those they are drawn after, by the frozen classifiers C and D.

    `label_accuracy`: of C on drawn images; `confidence`, `source_confidence`: D's mean largest probability on drawn
    and on real ones, all in percent. `distance`: transport between drawn images and those of a source, mean over the
    sources; `source_distance`: between two sources, the smallest.
    """

    label_accuracy: float
    confidence: float
    source_confidence: float
    distance: float
    source_distance: float


def form_of(images: ImageSet, who: str) -> Form:
    """Return the form of images that a novel domain can be drawn after.

    Raises `ConfigError` for fewer than two source environments, which `who` needs, and for images that are too small.
    """
    need_sources(images, 2, who)
    side = images.resolution
    if side < SMALLEST_SIDE:
        raise ConfigError(
            f"{who} needs images of {SMALLEST_SIDE} or more pixels a side; {images.name} has {side}"
        )
    return Form(images.in_channels, side, images.classes, len(images.environments))


@torch.no_grad()
def there_and_back(kept: Path, images: ImageSet, split: Split, many: int) -> npt.NDArray[np.float64]:
    """Return images of a split by source, drawn anew, and drawn back: (domains, 3, many, side, side, channels).

    By the generator whose weights a search at desk size kept (`NovelDomain.kept`); in units of the prepared images.
    """
    state = torch.load(kept, weights_only=True)
    novel = NovelDomain(Form(*state["form"]), AT_DESK, SMALL_SCALE, 0, torch.device("cpu"))
    novel.generator.load_state_dict(state["generator"])
    found = []
    assert split.domains is not None
    for domain in range(novel.form.domains):
        some = split.take(torch.nonzero(split.domains == domain)[:many, 0])
        assert some.domains is not None
        prepared = normalise(some.images, images)
        drawn = novel.draw(prepared, some.domains)
        found.append(torch.stack([prepared, drawn, novel.back(drawn, some.domains)]))
    return torch.stack(found).permute(0, 1, 2, 4, 5, 3).double().numpy()


class NovelDomain:
    """The generator G with its optimizer, and the classifiers of classes and of domains, C and D, frozen once trained.

    The weights start from `seed`. `accuracies`: in percent on images held out, of C and of D; NaN until trained.
    """

    def __init__(self, form: Form, novelty: Novelty, scale: Scale, seed: int, device: torch.device) -> None:
        channels, side, classes, domains = form
        self.form, self.novelty = form, novelty
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = Generator(channels, domains + 1, side, scale).to(device)
            self.classes = SmallClassifier(channels, classes, side, scale).to(device)
            self.domains = SmallClassifier(channels, domains, side, scale).to(device)
        self.optimizer = torch.optim.Adam(
            self.generator.parameters(), novelty.generator_learning_rate, betas=(0.5, 0.999)
        )
        self.accuracies = (float("nan"), float("nan"))
        for judge in (self.classes, self.domains):
            judge.requires_grad_(requires_grad=False).eval()

    def train_judges(self, images: ImageSet, held_out: Split, generator: torch.Generator) -> None:
        """Train the classifiers on augmented images; warns where D cannot tell the domains apart."""
        assert held_out.domains is not None
        truths = (held_out.labels, held_out.domains)
        self.accuracies = tuple(  # type: ignore[assignment]
            self._train_judge(judge, images, Split(held_out.images, truth), generator)
            for judge, truth in zip((self.classes, self.domains), truths, strict=True)
        )
        chance = 100 / self.form.domains
        if self.accuracies[1] < chance + 10:
            warnings.warn(
                f"the environments look alike: a classifier tells {self.accuracies[1]:.0f} % of held-out images "
                f"(chance: {chance:.0f} %); novelty is not measurable",
                stacklevel=2,
            )

    def _train_judge(
        self, judge: SmallClassifier, images: ImageSet, held_out: Split, generator: torch.Generator
    ) -> float:
        judge.requires_grad_(requires_grad=True)
        optimizer = torch.optim.SGD(judge.parameters(), JUDGE_RATE, momentum=JUDGE_MOMENTUM)
        for _ in range(self.novelty.classifier_epochs):
            epoch = augmented_epoch(images, draw_plan(images, generator))
            truth = epoch.labels if judge is self.classes else epoch.domains
            assert truth is not None
            judge.train()
            prepared = normalise(epoch.images, images).split(JUDGE_BATCH)
            for some, right in zip(prepared, truth.split(JUDGE_BATCH), strict=True):
                optimizer.zero_grad()
                cross_entropy(judge(some), right).backward()
                optimizer.step()
        judge.requires_grad_(requires_grad=False).eval()
        with torch.no_grad():
            guessed = judge(normalise(held_out.images, images)).argmax(1)
        return 100 * float((guessed == held_out.labels).float().mean())

    def draw(self, images: Tensor, domains: Tensor) -> Tensor:
        """Return images of the novel domain, drawn after those of `domains`."""
        return self.generator(images, domains, torch.full_like(domains, self.form.domains))

    def back(self, drawn: Tensor, domains: Tensor) -> Tensor:
        """Return images of `domains` drawn after those of the novel domain."""
        return self.generator(drawn, torch.full_like(domains, self.form.domains), domains)

    def judged(self, images: Tensor, labels: Tensor, domains: Tensor) -> Drawn:
        """Return images of the novel domain and what they cost the generator."""
        drawn = self.draw(images, domains)
        cycle = l1_loss(self.back(drawn, domains), images)
        label = cross_entropy(self.classes(drawn), labels)
        distance = transport(*(self._features(self.domains.features(some)) for some in (drawn, images)))
        weighed = self.novelty
        loss = weighed.cycle_weight * cycle + weighed.label_weight * label - weighed.novelty_weight * distance
        return Drawn(drawn, loss, torch.stack([cycle, label, distance]).detach())

    @torch.no_grad()
    def novelties(self, images: Tensor, labels: Tensor, domains: Tensor) -> Novelties:
        """Return how images drawn after these compare with them."""
        drawn = self.draw(images, domains)
        right = (self.classes(drawn).argmax(1) == labels).float().mean()
        embedded = [self.domains.features(some) for some in (drawn, images)]
        confidences = [self.domains.classifier(some).softmax(1).amax(1).mean() for some in embedded]
        new, old = map(self._features, embedded)
        sources = [old[domains == domain][:COMPARED] for domain in domains.unique()]
        to_new = [transport(new[:COMPARED], source) for source in sources]
        between = [transport(*pair) for pair in combinations(sources, 2)]
        return Novelties(
            100 * float(right),
            100 * float(confidences[0]),
            100 * float(confidences[1]),
            float(torch.stack(to_new).mean()),
            float(torch.stack(between).min()) if between else float("nan"),
        )

    def _features(self, embedded: Tensor) -> Tensor:
        return normalize(embedded, dim=1) if self.novelty.unit_embeddings else embedded

    def against(self, images: Tensor) -> Tensor:
        """Return drawn images for the network that the generator works against: the gradient reversed, if at all."""
        return reverse(images) if self.novelty.reversal else images

    def drawn_of(self, images: int) -> int:
        """Return how many images of a batch are drawn anew for the weights."""
        return round(self.novelty.synthetic_share * images)

    def mixed(self, drawn: Tensor, images: Tensor) -> Tensor:
        """Return a batch whose first images, the `synthetic_share`, are the drawn ones."""
        many = self.drawn_of(len(images))
        return torch.cat([drawn[:many], images[many:]])

    def kept(self) -> dict[str, Any]:
        """Return what drawing needs: the form, and the weights of the generator."""
        return {"form": tuple(self.form), "generator": self.generator.state_dict()}

    def state_dict(self) -> dict[str, Any]:
        """Return all that resuming needs."""
        return self.kept() | {
            "classes": self.classes.state_dict(),
            "domains": self.domains.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "accuracies": self.accuracies,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        for name in ("generator", "classes", "domains", "optimizer"):
            part: nn.Module | torch.optim.Optimizer = getattr(self, name)
            part.load_state_dict(state[name])
        self.accuracies = tuple(state["accuracies"])
