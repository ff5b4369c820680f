"""One weight-sharing search from its seed to its records; killed at any moment, it goes on from its last epoch."""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from natslib.errors import BadSource
from natslib.files import write_atomic
from natslib.nets.size_supernet import SizeSupernet
from natslib.nets.topology_supernet import TopologySupernet, one_hot_weights
from natslib.search.store import describe_into, searching_in
from natslib.spaces import Code, get_space
from natslib.training.device import environment_stamp
from natslib.training.jobs import representatives, sub_grid
from natslib.training.loop import clock
from natslib.weight_sharing import get_method
from natslib.weight_sharing.data import SearchData, SelectionBatches, paired_epoch
from natslib.weight_sharing.method import Batch, Losses, Method, ValidBatches
from natslib.weight_sharing.records import RECORDS, SCORES, STAMP, read_run
from natslib.weight_sharing.settings import Settings


def sample(space: str, n: int) -> np.ndarray:
    """Return the indices of the `n` architectures of a space that our own benchmark trains first: a random sample.

    On the topology space of cells that differ as functions, on the size space of the sub-grid of widths.
    """
    return (representatives() if space == "tss" else sub_grid())[:n]


@torch.no_grad()
def score_sample(method: Method, valid_batches: ValidBatches) -> pd.DataFrame:
    """Return how a supernet scores each of the sample on every validation image, in evaluation mode.

    One row an architecture: arch_index, accuracy (percent) and mean loss. On the size space two: `inside` says whether
    the masks were applied to every layer, as the candidate has it, or to the outputs of the units alone, as the
    searches do.
    """
    space, batches = get_space(method.space), list(valid_batches.whole())
    network, rows = method.network.eval(), []
    for index in sample(method.space, method.settings.scored).tolist():
        for inside in (False,) if isinstance(network, TopologySupernet) else (False, True):
            outputs = [_logits(method, space.code(index), batch, inside=inside) for batch in batches]
            logits, labels = torch.cat(outputs), torch.cat([batch.labels for batch in batches])
            accuracy = 100 * (logits.argmax(1) == labels).float().mean()
            rows.append((index, inside, float(accuracy), float(cross_entropy(logits, labels))))
    network.train()
    return pd.DataFrame(rows, columns=["arch_index", "inside", "accuracy", "loss"])


def _logits(method: Method, code: Code, batch: Batch, *, inside: bool) -> Tensor:
    network: Any = method.network
    if isinstance(network, TopologySupernet):
        return network(batch.images, *one_hot_weights(code))
    return network(batch.images, network.gates(code), inside=inside)


CHECKPOINT = "checkpoint.pt"


def build_supernet(
    space: str, data: SearchData, settings: Settings, seed: int
) -> TopologySupernet | SizeSupernet:
    """Return the untrained supernet of a space on the data's device; its weights depend on the seed alone."""
    channels, classes = data.train.in_channels, data.train.classes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: TopologySupernet | SizeSupernet
        if space == "tss":
            network = TopologySupernet(
                channels,
                classes,
                settings.scale,
                running_statistics=settings.running_statistics,
                ordinary_last_norm=settings.ordinary_last_norm,
            )
        else:
            network = SizeSupernet(channels, classes, settings.scale)
    return network.to(data.train.train.images.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _write(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values, whole or not at all."""
    content = io.BytesIO()
    torch.save(state, content)
    write_atomic(path, content.getvalue())


class Run:
    """A search under way: its method, its generator and its records, one an epoch."""

    def __init__(self, method_name: str, data: SearchData, settings: Settings, seed: int) -> None:
        self.data, self.seed = data, seed
        self.generator = torch.Generator().manual_seed(seed)
        kind = get_method(method_name)
        network = build_supernet(kind.space, data, settings, seed)
        # Layers that a method fills from `generator` are first filled by torch, from its own.
        with torch.random.fork_rng(devices=[]):
            self.method: Method = kind(network, settings, self.generator)
        self.rows: list[dict[str, Any]] = []

    @property
    def diverged(self) -> bool:
        """Whether the training loss of the last epoch is not a number."""
        return bool(self.rows) and self.rows[-1]["diverged"]

    def advance(self) -> None:
        """Record the untrained start (epoch 0), or train one epoch and record it."""
        method, data, settings = self.method, self.data, self.method.settings
        device = data.train.train.images.device
        start = clock(device)
        selection = SelectionBatches(
            data, settings.valid_batch, self.generator, augmented=settings.valid_augmented
        )
        losses = Losses(*torch.full((4,), torch.nan))
        if not self.rows:
            method.prepare(data)
        else:
            method.begin_epoch(len(self.rows) - 1)
            losses = self._train_epoch()
            method.end_epoch(selection)
        diverged = bool(self.rows) and not math.isfinite(losses.train_loss)
        code = self.rows[-1]["code"] if diverged else method.choose(selection)
        self.rows.append(self._row(code, losses, clock(device) - start, diverged=diverged))

    def _train_epoch(self) -> Losses:
        """Do the steps of an epoch; return the means over its images."""
        total = torch.zeros(4, dtype=torch.float64, device=self.method.device)
        for train, valid in paired_epoch(self.data, self.method.settings.batch, self.generator):
            total += torch.stack(self.method.step(train, valid)) * len(train.labels)
        return Losses(*(total / len(self.data.train.train)).cpu())

    def _row(self, code: tuple[int, ...], losses: Losses, time_s: float, *, diverged: bool) -> dict[str, Any]:
        method, space = self.method, get_space(self.method.space)
        alphas = method.alphas
        return {
            "method": method.name,
            "space": method.space,
            "dataset": self.data.name,
            "settings": method.settings.name,
            "warm_up": method.settings.warm_up,
            "seed": self.seed,
            "epoch": len(self.rows),
            "arch_index": space.index(code),
            "arch": space.string(code),
            "code": list(code),
            **{name: float(value) for name, value in losses._asdict().items()},
            "time_s": time_s,
            "diverged": diverged,
            "alphas": None if alphas is None else alphas.detach().flatten().tolist(),
            **method.record(),
        }

    def scores(self) -> pd.DataFrame:
        """Return how the supernet scores a sample of architectures (`score_sample`)."""
        settings = self.method.settings
        return score_sample(self.method, SelectionBatches(self.data, settings.valid_batch, self.generator))

    def save(self, path: Path) -> None:
        """Write all that going on needs, whole or not at all."""
        state = {"method": self.method.state_dict(), "generator": self.generator.get_state()}
        _write(path, state | {"rows": self.rows})

    def restore(self, path: Path) -> None:
        """Go on from a file that `save` wrote; raises `BadSource` where that cannot be."""
        try:
            # Read to the CPU: a step count of Adam that lay on a GPU would be waited for in every step.
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.method.load_state_dict(state["method"])
            self.generator.set_state(state["generator"])
            self.rows = [{**row, "diverged": bool(row["diverged"])} for row in state["rows"]]
            get_space(self.method.space).index(tuple(self.rows[-1]["code"]))
        except MemoryError:
            raise
        except Exception as error:  # torch raises all sorts for a file that is damaged or of another version
            reason = " ".join(str(error).split()) or type(error).__name__
            raise BadSource(
                f"cannot go on from {path} ({reason:.200}); remove it, and the search begins anew"
            ) from error


def run_search(
    method_name: str,
    data: SearchData,
    settings: Settings,
    seed: int,
    folder: Path,
    *,
    progress: bool = False,
) -> pd.DataFrame:
    """Run a weight-sharing search in `folder`, or what is left of it, and return its records: one row an epoch.

    Row 0 is the untrained start. A row has the current architecture, the mean losses and accuracies (percent) of the
    epoch, its seconds (processor time on a CPU) and the architecture parameters, row after row. The folder gets
    `search.json`, which says what was asked, at the end `run.parquet`, `scores.parquet` (what the supernet thinks of a
    sample, see `score_sample`) and `stamp.json`, and until then a checkpoint an epoch. A search whose loss becomes NaN
    ends with a row marked `diverged` that repeats the architecture before.
    Raises `ConfigError` where the folder holds another search or another process works in it, `BadSource` where a file
    of the search is damaged.
    """
    records, checkpoint = folder / RECORDS, folder / CHECKPOINT
    with searching_in(folder):
        describe_into(folder, description(method_name, data, settings, seed))
        if not records.exists():
            run = Run(method_name, data, settings, seed)
            if checkpoint.exists():
                run.restore(checkpoint)
            finish(run, checkpoint, progress=progress)
            write_atomic(folder / STAMP, json.dumps(environment_stamp(run.method.device)).encode())
            for name, weights in run.method.kept().items():
                _write(folder / name, weights)
            write_atomic(folder / SCORES, run.scores().to_parquet(index=False))
            write_atomic(records, pd.DataFrame(run.rows).to_parquet(index=False))
        found = read_run(records)
        checkpoint.unlink(missing_ok=True)
    return found


def finish(run: Run, checkpoint: Path, *, progress: bool) -> None:
    """Train until the last epoch or until the loss is not a number, with a checkpoint after each epoch."""
    total = run.method.epochs + 1
    bar = tqdm(total=total, initial=len(run.rows), disable=not progress, unit="epoch", desc=run.method.name)
    with bar:
        while len(run.rows) < total and not run.diverged:
            run.advance()
            run.save(checkpoint)
            bar.set_postfix_str(run.rows[-1]["arch"], refresh=False)
            bar.update()


def description(method_name: str, data: SearchData, settings: Settings, seed: int) -> dict[str, Any]:
    """Return what determines the records, in JSON's types."""
    images = {"train": len(data.train.train), "valid": len(data.valid.train)}
    return {
        "method": method_name,
        "dataset": data.name,
        "images": images,
        "seed": seed,
        **settings.as_json(),
    }
