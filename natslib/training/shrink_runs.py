"""AutoShrink in its published forms: a cell of eight nodes, with too many wirings to number (2^28); a recurrent cell.

`python -m natslib.training.shrink_runs eight-nodes` (or `recurrent`) writes the record that natslib ships in `logs/`;
killed, the same command goes on after its last training.
"""

import argparse
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from natslib.nets.candidate import count_flops
from natslib.nets.recurrent import ACTIVATIONS, LanguageModel
from natslib.nets.wiring import wiring_network
from natslib.search.algorithms.autoshrink import shrink_score
from natslib.search.descent import Descent, Report, Row, record
from natslib.spaces import Code, Scale
from natslib.spaces.wiring import NODE_OPS, edges_of, removals
from natslib.training.device import environment_stamp, ready_device
from natslib.training.embedded import DIGITS_VIEWS, digits
from natslib.training.images import ImageSet, Split
from natslib.training.language import Reading, side_by_side, train_language
from natslib.training.loop import clock
from natslib.training.shrinking import Shrinking, train_shrinking
from natslib.training.text import SYMBOLS, markov_source

TRAINING_SEED, FRESH_SEEDS = 777, (888, 999)
SMALL, CHANNELS = Shrinking(epochs=10, batch=64), 4
"""For a desk: half the epochs and the batch (`digits` has a fifth of the images), a fourth of the channels."""


def one_view(data: ImageSet) -> ImageSet:
    """Return `digits` with every validation image at the first of its shifts alone, and no test images."""
    valid = data.evaluations["valid"]
    fewer = Split(valid.images[::DIGITS_VIEWS], valid.labels[::DIGITS_VIEWS])
    return replace(data, evaluations={"valid": fewer})


READING, LENGTHS = Reading(), (51_200, 8_800)
"""Symbols of text to train on and to validate on."""


def node_ops(nodes: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Draw the operations of the nodes after the input: both in turn over all nodes, shuffled, the input's unused."""
    return tuple(rng.permutation([NODE_OPS[node % 2] for node in range(nodes)])[1:].tolist())


def eight_nodes(
    data: ImageSet,
    path: Path,
    *,
    nodes: int = 8,
    candidates: int = 10,
    how: Shrinking = SMALL,
    seed: int = 5,
    again: tuple[int, ...] = FRESH_SEEDS,
    report: Report = lambda number, row: None,
) -> pd.DataFrame:
    """Search down to the empty cell on the split 'valid' of `data`; see `natslib.search.descent.record`.

    It keeps a hundredth of the edges, as published: none. Measured are accuracy (percent), flops_m (millions), score,
    epochs, ended (by what) and seconds. Networks have a fourth of the published channels.
    """
    rng = np.random.default_rng(seed)
    ops, device = node_ops(nodes, rng), data.train.images.device

    def measure(code: Code, training_seed: int) -> Row:
        start = clock(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training_seed)
            network = wiring_network(
                code,
                ops,
                in_channels=data.in_channels,
                classes=data.classes,
                scale=Scale(CHANNELS, cells=1, width_divisor=1),
            )
        flops_m = count_flops(network, data.in_channels, data.resolution) / 1e6
        outcome = asdict(train_shrinking(network.to(device), data, how, training_seed))
        score = float(shrink_score(outcome["accuracy"], flops_m))
        return outcome | {"flops_m": flops_m, "score": score, "seconds": round(clock(device) - start, 3)}

    edges = len(edges_of(nodes))
    descent = Descent((1,) * edges, removals, measure, candidates, round(0.01 * edges), TRAINING_SEED, again)
    settings = {
        "dataset": data.name,
        "ops": list(ops),
        "channels": CHANNELS,
        "candidates": candidates,
    }
    settings |= {"seed": seed, "training_seed": TRAINING_SEED, "again": list(again), **asdict(how)}
    return record(descent, rng, path, settings=settings, stamp=environment_stamp(device), report=report)


def recurrent_score(perplexity: float, edges: int, width: int) -> float:
    """Return what is to be maximised: a quarter of what a perplexity lacks to 200, less tenfolds of FLOPs."""
    return 0.25 * (200 - perplexity) - (math.log10(edges * width**2) - 6)


def recurrent(
    path: Path,
    *,
    nodes: int = 6,
    candidates: int = 10,
    how: Reading = READING,
    seed: int = 189,
    again: tuple[int, ...] = FRESH_SEEDS,
    report: Report = lambda number, row: None,
) -> pd.DataFrame:
    """Search a recurrent cell for a Markov source down to a quarter of its edges; see `natslib.search.descent.record`.

    Measured are perplexity (of validation text), flops_m (millions a symbol, of the edges), score, epochs, ended (by
    what) and seconds. The source's own perplexities are settings: of all models, and of those that know one symbol.
    """
    rng, device = np.random.default_rng(seed), torch.device("cpu")
    ops = tuple(rng.choice(list(ACTIVATIONS), nodes).tolist()[1:])
    source = markov_source(rng)
    text = source.draw(sum(LENGTHS), rng)
    train, valid = (side_by_side(part, how.batch) for part in np.split(text, LENGTHS[:1]))

    def measure(code: Code, training_seed: int) -> Row:
        start = clock(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training_seed)
            model = LanguageModel(code, ops, how.width, SYMBOLS)
        perplexity, epochs, ended = train_language(model, train, valid, how)
        told = {"perplexity": perplexity, "epochs": epochs, "ended": ended}
        told |= {"flops_m": sum(code) * how.width**2 / 1e6}
        told |= {"score": recurrent_score(perplexity, sum(code), how.width)}
        return told | {"seconds": round(clock(device) - start, 3)}

    edges = len(edges_of(nodes))
    descent = Descent((1,) * edges, removals, measure, candidates, round(0.25 * edges), TRAINING_SEED, again)
    settings = {"ops": list(ops), "candidates": candidates, "lengths": list(LENGTHS)} | asdict(how)
    settings |= {"seed": seed, "training_seed": TRAINING_SEED, "again": list(again)}
    settings |= {"floor": math.exp(source.entropy()), "bigram": math.exp(source.entropy(1))}
    return record(descent, rng, path, settings=settings, stamp=environment_stamp(device), report=report)


def print_row(number: int, row: Mapping[str, Any]) -> None:
    """Print one line an evaluation to the error stream."""
    what = "trained again" if row["again"] else f"step {row['step']}"
    print(f"{number}  {what}, {row['edges']} edges: score {row['score']:.3f}", file=sys.stderr, flush=True)


def _eight_nodes(path: Path) -> pd.DataFrame:
    return eight_nodes(one_view(digits()), path, report=print_row)


def _recurrent(path: Path) -> pd.DataFrame:
    return recurrent(path, report=print_row)


RUNS: dict[str, tuple[Callable[[Path], pd.DataFrame], str]] = {
    "eight-nodes": (_eight_nodes, "eight-nodes-digits.parquet"),
    "recurrent": (_recurrent, "recurrent-markov.parquet"),
}


def main() -> None:
    """Run one of the searches, or go on with it."""
    parser = argparse.ArgumentParser(
        prog="python -m natslib.training.shrink_runs", description="AutoShrink as published"
    )
    parser.add_argument("form", choices=RUNS)
    parser.add_argument(
        "--out", type=Path, default=Path("results/autoshrink"), help="the folder of the record"
    )
    args = parser.parse_args()
    run, name = RUNS[args.form]
    ready_device("cpu")
    rows = run(args.out / name)
    print(f"{len(rows)} trainings in {args.out / name}")


if __name__ == "__main__":
    main()
