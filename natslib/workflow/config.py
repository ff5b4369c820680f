"""The workflow's configuration, checked and with its paths spelt out."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from natslib.errors import ConfigError, unknown_name
from natslib.spaces import SPACES
from natslib.workflow.catalogue import CATALOGUE, stems_of

TRAINING = "results/training"
"""The folder of the raw logs that the workflow trains, a folder a source in it."""
SEARCHED = "results/weight-sharing"
"""The folder of the weight-sharing searches that the workflow runs."""


def expand_sources(sources: Mapping[str, Mapping[str, Any]], **runs: int) -> dict[str, dict[str, Any]]:
    """Return `sources` as the Snakefile's rules use them, with `~` and `$VARIABLES` in paths replaced.

    `runs`: the numbers `runs` and `runs_others`, for sources that do not say their own.
    A source becomes split, recipe, those numbers, `splits` (those of accuracy against cost, as the paper pairs them),
    origin, `files` (what must be there before it is converted: the markers of all shards, of one that is trained;
    `published` is no file), `options` (what `natslib convert` is told besides) and, of one that is trained, `folder`
    (of its raw logs) and `training` (what `natslib train` is told). Raises ConfigError for a variable that is not
    set, and `UnknownName` for a training on a space that is none of `SPACES`.
    """
    return {
        name: {
            "split": source["split"],
            "recipe": source["recipe"],
            "splits": f"train,{source['split']}",
            **{name: source.get(name, number) for name, number in runs.items()},
            **(_trained(name, source["train"]) if "train" in source else _given(name, source)),
        }
        for name, source in sources.items()
    }


def asked_files(config: Mapping[str, Any]) -> list[str]:
    """Return every file that a configuration asks for: what needs no source, and the items of its sources.

    Raises `UnknownName` for an item that is not in the catalogue, and for a space that is none of `SPACES`.
    """
    asked = {
        (stem, f"_{name}")
        for name, source in config["sources"].items()
        for stem in stems_of(source["items"], space=_space(source), own="train" in source)
    }
    return [
        f"{config['figures']}/{stem}{behind}{suffix}"
        for item in CATALOGUE.values()
        for parameter, stem in item.figures.items()
        for behind in (["", *(f"_{name}" for name in config["sources"])])
        if (stem, behind) in asked or (not item.behind and not behind)
        for suffix in item.files(parameter)
    ]


def _space(source: Mapping[str, Any]) -> str:
    """Return the search space of a source: what it says, or that of its training; the topology space otherwise."""
    return _known_space(source.get("space", source.get("train", {}).get("space", "tss")))


def _known_space(name: str) -> str:
    if name not in SPACES:
        raise unknown_name("space", name, SPACES)
    return name


def expand_searches(searches: Mapping[str, Any]) -> dict[str, Any]:
    """Return `searches` as the Snakefile's rules use them.

    `files`: the joined records of the searches; `dataset`: what was searched on; `runs`: the options of `natslib
    search` by the name of each search that is to be run; `finished`: their markers by space. Of searches that were run
    before, `origin`, there are none to be run.
    """
    jobs = [
        (group["space"], method, seed, group.get("warm_up"))
        for group in searches.get("run", [])
        for method in group["methods"]
        for seed in group["seeds"]
    ]
    names = {_search_name(*job): job for job in jobs}
    common = [f"--{key}={searches[key]}" for key in ("dataset", "settings") if key in searches]
    ran = f"{SEARCHED}/{searches.get('settings')}"
    folder, dataset = searches.get("origin", ran), searches["dataset"]
    kinds = [f"{space}-{dataset}{kind}" for space in SPACES for kind in ("", "-scores")]
    return {
        "files": [f"{folder}/{kind}.parquet" for kind in kinds],
        "dataset": dataset,
        "runs": {name: common + _search_options(*job) for name, job in names.items()},
        "finished": {
            space: [f"{ran}/{name}/finished" for name, job in names.items() if job[0] == space]
            for space in SPACES
        },
    }


def _search_name(space: str, method: str, seed: int, warm_up: float | None) -> str:
    return f"{space}-{method}-{seed}" + ("" if warm_up is None else f"-warm-up-{warm_up}")


def _search_options(space: str, method: str, seed: int, warm_up: float | None) -> list[str]:
    options = [f"--space={space}", f"--algorithm={method}", f"--seed={seed}"]
    return options if warm_up is None else [*options, f"--warm-up={warm_up}"]


def _given(name: str, source: Mapping[str, Any]) -> dict[str, Any]:
    origin = _expand_path(name, source["origin"])
    columns = [_expand_path(name, source["columns"])] if "columns" in source else []
    return {
        "origin": origin,
        "files": ([] if origin == "published" else [origin]) + columns,
        "options": [f"--columns={path}" for path in columns],
    }


def _trained(name: str, train: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a source that is trained in `shards` jobs; the others of its settings are options."""
    folder, shards, space = f"{TRAINING}/{name}", train["shards"], _known_space(train["space"])
    told = {key: _expand_path(name, str(value)) for key, value in train.items() if key != "shards"}
    return {
        "origin": f"{folder}/{space}",
        "files": [f"{folder}/shard-{shard}-of-{shards}.finished" for shard in range(shards)],
        "options": [],
        "folder": folder,
        "training": [f"--{key}={value}" for key, value in told.items()],
    }


def _expand_path(name: str, path: str) -> str:
    expanded = os.path.expandvars(path)
    unset = re.search(r"\$\{?(\w+)", expanded)
    if unset:
        raise ConfigError(
            f"source {name!r}: {path!r} needs the environment variable {unset[1]}, which is not set"
        )
    return str(Path(expanded).expanduser())
