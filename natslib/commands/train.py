"""`natslib train`: the farm on the command line."""

import argparse
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from natslib.commands.exits import DONE
from natslib.commands.options import (
    DATASET,
    RECIPE,
    add_json,
    add_machine_arguments,
    from_1,
    numbers,
    print_json,
)
from natslib.errors import ConfigError, shown
from natslib.spaces import SCALES, SPACES, get_space
from natslib.tables.format.schema import SEEDS
from natslib.training.jobs import PLANS, Job, jobs_for
from natslib.training.names import check_images, is_small, log_name
from natslib.training.objectives import OBJECTIVES
from natslib.training.recipes import RECIPES, SMALL_RECIPES, Recipe, get_recipe

if TYPE_CHECKING:
    from natslib.training.images import ImageSet

EPILOG = """examples:
  natslib train --space tss --arch 0-99,1462 --seed 777,888 --dataset digits --recipe 12 --out logs
  natslib convert logs/tss TABLE      (the logs of a space lie in a folder of its name)
  natslib train --space tss --arch 0-99 --dataset digits-rotated --recipe 12 --out logs    (split valid: the angles that
      are trained on; split test: another one, evaluated after the last epoch alone)
  natslib train --plan embedded --shard 0/2 --out logs     (and the same with 1/2 beside it or, of the same
      version, on another machine: then bring the files of both logs/tss together)
  natslib train --plan embedded --device cuda:all --out logs     (on every GPU of this machine, one job on each)
Killed or interrupted at any moment, the same command goes on where it stopped.

Your own images: a folder with train/CLASS/*.png (or .jpg, .bmp, .ppm, .webp) and valid/ (or val/) or test/ alike, links
that lead out of it refused; or an .npz with train_images (or x_train), (n, side, side, channels), (n, channels, side,
side) or (n, side, side), uint8 or the same numbers as floats (0 to 255, or 0 to 1), and train_labels (or y_train):
numbers from 0 or from 1 without a gap, one-hot rows or text; valid_ or test_ alike. All of one size, squares with a
side of 4, 8, 12, ... pixels, and at least as many to train on as a batch has: 256, with --scale small 128.
Your own environments, to see what holds under a shift: a folder with ENVIRONMENT/train/CLASS/*.png and
ENVIRONMENT/valid/CLASS/*.png for each that is trained on, with the same classes, and TARGET/test/CLASS/*.png for what
is tested on; or beside the arrays of an .npz train_domains and valid_domains, a number or name an image.
The paper's images are looked for in the folder --data. CIFAR is downloaded to it unless it is there, unpacked
(cifar-10-batches-py/) or as archive (cifar-10-python.tar.gz); ImageNet16/ is to be had at image-net.org."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `natslib train`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, required=True, help="folder of the raw logs")
    parser.add_argument(
        "--plan",
        choices=list(PLANS),
        help="train a whole benchmark's list; with --space, of that space alone",
    )
    parser.add_argument("--space", choices=list(SPACES), help="the search space")
    parser.add_argument("--arch", help="indices of architectures, such as 0-999 or 3,5,10-20")
    parser.add_argument("--seed", help="seeds, such as 777,888,999 (777)")
    parser.add_argument("--dataset", help=f"{DATASET}, or the path of your own images")
    parser.add_argument(
        "--recipe",
        help=f"{RECIPE}: {', '.join(RECIPES)}; at the small scale {', '.join(SMALL_RECIPES)}; with an objective "
        f"for shifted data behind it, as in 12-irm: {', '.join(list(OBJECTIVES)[1:])}",
    )
    parser.add_argument(
        "--scale", choices=list(SCALES), help="of recipe and network; needed for your own images"
    )
    parser.add_argument(
        "--shard", default="0/1", help="i/n: train part i, from 0, of n parts that cost the same FLOPs"
    )
    parser.add_argument(
        "--group", type=from_1, default=1, help="topology candidates trained at once (1); 16 pays on a GPU"
    )
    parser.add_argument(
        "--captured",
        action="store_true",
        help="on a GPU: record a training step once, replay it as a CUDA graph",
    )
    parser.add_argument(
        "--keep-weights",
        action="store_true",
        help="keep each network's final weights: OUT/SPACE/weights/*.pt",
    )
    add_machine_arguments(parser)
    add_json(parser)


def parse_shard(text: str) -> tuple[int, int]:
    """Return (i, n) of 'i/n'; raises `ConfigError`."""
    ends = re.fullmatch("([0-9]{1,6})/([0-9]{1,6})", text)
    if not ends:
        raise ConfigError(f"cannot read the shard {shown(text)}: allowed is i/n, such as 0/2")
    return int(ends[1]), int(ends[2])


def asked_jobs(args: argparse.Namespace) -> list[Job]:
    """Return the jobs that the arguments ask for; raises `ConfigError` when some are missing."""
    listed = ("arch", "seed", "dataset", "recipe", "scale")
    if args.plan:
        if given := [f"--{name}" for name in listed if getattr(args, name) is not None]:
            raise ConfigError(
                f"{', '.join(given)} beside --plan, which is a list by itself; allowed is --space"
            )
        return [job for job in PLANS[args.plan]() if args.space in (None, job.space)]
    if missing := [
        f"--{name}" for name in ("space", "arch", "dataset", "recipe") if getattr(args, name) is None
    ]:
        raise ConfigError(f"missing {', '.join(missing)} (or --plan {' or '.join(PLANS)})")
    check_images(args.dataset)
    archs = np.array(numbers(args.arch, len(get_space(args.space))))
    seeds = tuple(numbers(args.seed or "777", SEEDS))
    return jobs_for(args.space, archs, log_name(args.dataset), args.recipe, seeds)


def print_progress(
    done: int, total: int, elapsed_s: float, entry: Mapping[str, object], first: list[int]
) -> None:
    """Print one line a run to the error stream: done, what, and the remaining time."""
    if not first:
        first.append(done - 1)
    left_s = elapsed_s / (done - first[0]) * (total - done)
    what = f"{entry['space']} {entry['arch_index']} {entry['dataset']} {entry['recipe']} seed {entry['seed']}"
    print(f"{done}/{total}  {what}  about {left_s / 60:.0f} min left", file=sys.stderr, flush=True)


def run(args: argparse.Namespace) -> int:
    """Run the farm, say how much it trained, and return the exit code; what cannot be is refused before torch comes."""
    shard, shards = parse_shard(args.shard)
    jobs = asked_jobs(args)
    small = bool(args.plan) or is_small(args.dataset, args.scale)
    for name in dict.fromkeys(job.recipe for job in jobs):
        get_recipe(name, small=small)

    from natslib.training.captured import cuda_graph  # only here: torch takes its time
    from natslib.training.device import environment_stamp, ready_devices
    from natslib.training.farm import run_farm, shard_of
    from natslib.training.trainers import Trainers, Work
    from natslib.training.weights import weights_file

    devices = ready_devices(args.device)
    if args.captured and devices[0].type != "cuda":
        raise ConfigError(f"--captured was asked for on {devices[0]}: allowed are GPUs")
    more = {"scale": "small" if small else "paper"}
    more |= {"dataset files": "not verified"} if args.unverified else {}
    work = Work(
        partial(asked_images, args.dataset, args.data, not args.unverified),
        partial(asked_recipe, small),
        partial(environment_stamp, more=more),
        cuda_graph if args.captured else None,
        args.out if args.keep_weights else None,
    )
    first: list[int] = []
    with closing(Trainers([str(device) for device in devices], work)) as trainers:
        trained = run_farm(
            jobs,
            args.out,
            shard=shard,
            shards=shards,
            group=args.group,
            images=cache(lambda name: work.images(name).to(devices[0])),
            recipe=work.recipe,
            stamp=work.stamp(devices[0]),
            report=lambda done, total, s, entry: print_progress(done, total, s, entry, first),
            trainer=trainers if len(devices) > 1 else None,
            capture=work.capture,
            weights=args.keep_weights,
        )
    mine = shard_of(jobs, shard, shards, work.recipe)
    there = len(mine) - trained
    without = sum(not weights_file(args.out, job).exists() for job in mine) if args.keep_weights else 0
    folders = [args.out / space for space in dict.fromkeys(job.space for job in jobs)]
    if args.json:
        print_json({"trained": trained, "there_before": there, "logs": folders})
    else:
        print(f"{trained:,} trained now, {there:,} there before; logs in {' and '.join(map(str, folders))}")
        if without:
            print(f"{without:,} of those before have no weights: they were trained without --keep-weights")
    return DONE


def asked_images(dataset: str | None, root: Path, verify: bool, name: str) -> "ImageSet":
    """Return the image set that the logs call `name`: of one's own images, `dataset` is their path."""
    from natslib.training.sources import load_images

    source = dataset if dataset and log_name(dataset) == name else name
    return load_images(source, root, verify=verify)


def asked_recipe(small: bool, job: Job) -> Recipe:
    """Return the recipe of a job at the asked scale."""
    return get_recipe(job.recipe, small=small)
