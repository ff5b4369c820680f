"""The workflow's configuration, checked and with its paths spelt out."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from natslib.errors import ConfigError, unknown_name
from natslib.spaces import SPACES
from natslib.workflow.catalogue import CATALOGUE, Item, stems_of

TABLES = "results/tables"
"""The folder of the tables, a folder a source in it."""
TRAINING = "results/training"
"""The folder of the raw logs that the workflow trains, a folder a source in it."""
SEARCHED = "results/weight-sharing"
"""The folder of the weight-sharing searches that the workflow runs."""


def expand_sources(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return `sources` as the Snakefile's rules use them, with `~` and `$VARIABLES` in paths replaced.

    A source becomes origin, `files` (what must be there before it is converted: the markers of all shards, of one that
    is trained; `published` is no file), `options` (what `natslib convert` is told besides) and, of one that is trained,
    `folder` (of its raw logs) and `training` (what `natslib train` is told). Raises ConfigError for a path that cannot
    be, and `UnknownName` for a training on a space that is none of `SPACES`.
    """
    return {
        name: _trained(name, source["train"]) if "train" in source else _given(name, source)
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


def told(item: Item, name: str, config: Mapping[str, Any]) -> list[str]:
    """Return what the notebook of `item` is told of the source `name`, as NAME=VALUE in JSON; "" is no source."""
    behind = f"_{name}" if item.behind else ""
    searches, source = config["searches"], config["sources"].get(name, {})
    known = {
        "table": f"{TABLES}/{name}",
        "searches": str(Path(expand_searches(searches)["files"][0]).parent),
        "dataset": searches["dataset"],
        "recipe": source.get("recipe"),
        "split": source.get("split"),
        "splits": f"train,{source.get('split')}",  # of accuracy against cost, as the paper pairs them
        **{number: source.get(number, config[number]) for number in ("runs", "runs_others")},
        "entry": f"results/leaderboard/my_search_{name}",
    }
    needed = {"table": ["table"], "records": ["searches", "dataset"], "own": []}
    names = [each for need in item.needs for each in needed[need]] + list(item.given)
    stems = {parameter: f"{config['figures']}/{stem}{behind}" for parameter, stem in item.figures.items()}
    return [
        f"{key}={json.dumps(value)}" for key, value in ({each: known[each] for each in names} | stems).items()
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
    """Return a path spelt out, and never one that a command takes for an option.

    Raises `ConfigError` for a variable that is not set, and for braces, in which Snakemake sees a wildcard.
    """
    expanded = os.path.expandvars(path)
    unset = re.search(r"\$\{?(\w+)", expanded)
    if unset:
        raise ConfigError(
            f"source {name!r}: {path!r} needs the environment variable {unset[1]}, which is not set"
        )
    if "{" in expanded or "}" in expanded:
        raise ConfigError(
            f"source {name!r}: {path!r} holds braces, in which Snakemake sees a wildcard; rename it, or convert it "
            "with `natslib convert` and name the table instead"
        )
    spelt = str(Path(expanded).expanduser())
    return f"./{spelt}" if spelt.startswith("-") else spelt
