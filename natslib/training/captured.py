"""Training steps that are recorded once and replayed: a GPU is told of one graph instead of hundreds of kernels."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TypeAlias

import torch
from torch import Tensor

from natslib.nets.merged import MergedNetwork
from natslib.training.images import ImageSet, Split, normalise
from natslib.training.objectives.objective import Batch, Objective

Work: TypeAlias = Callable[[], object]
#: Runs some work a few times, which its caller makes undone, records it, and returns what does it once more.
Capture: TypeAlias = Callable[[Work], Work]
WARM_UP = 3


def cuda_graph(work: Work) -> Work:
    """Capture work as a CUDA graph; the first runs let cuDNN and cuBLAS allocate what they keep."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            work()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


class CapturedSteps:
    """The steps of one training by an objective without choices of its own: a graph for each size of batch.

    A step reads what lies in fixed places: images and labels, the learning rate (a 0-dimensional tensor of the
    optimizer, see `set_rate`), weights and momentum. `tally` (3,) grows by each step's, which `tally_batch` returns.
    """

    def __init__(
        self,
        network: MergedNetwork,
        optimizer: torch.optim.Optimizer,
        objective: Objective,
        data: ImageSet,
        tally_batch: Callable[[Tensor, Tensor, Tensor], Tensor],
        capture: Capture = cuda_graph,
    ) -> None:
        self.network, self.optimizer, self.objective, self.data = network, optimizer, objective, data
        self._tally_batch, self._capture = tally_batch, capture
        device = data.train.images.device
        self.tally = torch.zeros(3, dtype=torch.float64, device=device)
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(float(group["lr"]), device=device)
            for weight in group["params"]:  # zeros: a first step makes of them what it would have begun with
                optimizer.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
        self._steps: dict[int, tuple[Split, Work]] = {}

    def __call__(self, batch: Split) -> None:
        """Train on images as they are stored."""
        if len(batch) not in self._steps:
            self._steps[len(batch)] = self._captured(batch)
        place, replay = self._steps[len(batch)]
        place.images.copy_(batch.images)
        place.labels.copy_(batch.labels)
        replay()

    def _captured(self, like: Split) -> tuple[Split, Work]:
        place = Split(like.images.clone(), like.labels.clone())
        domains = torch.zeros_like(place.labels)

        def step() -> None:
            batch = Batch(normalise(place.images, self.data), place.labels, domains)
            _, risk, logits, labels = self.objective.step(self.network, self.optimizer, batch)
            self.tally += self._tally_batch(logits.detach(), labels, risk.detach())

        before = [tensor.detach().clone() for tensor in self._changed()]
        self.optimizer.zero_grad()
        replay = self._capture(step)
        with torch.no_grad():
            for tensor, value in zip(self._changed(), before, strict=True):
                tensor.copy_(value)
        return place, replay

    def _changed(self) -> Iterator[Tensor]:
        """Yield all that a step changes."""
        states: Iterator[Mapping[str, Tensor]] = iter(self.optimizer.state.values())
        momentum = (state["momentum_buffer"] for state in states)
        yield from chain([self.tally], self.network.parameters(), self.network.buffers(), momentum)
