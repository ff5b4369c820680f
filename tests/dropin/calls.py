"""Random calls of the official API, legal and not, and what comes of one: a value in plain form, or an error's type."""

import contextlib
import io
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

FLOAT32 = 2.0**-23
"""How far the mean of numbers kept in single precision may lie from that of the numbers themselves."""
DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SETS = ("train", "x-valid", "x-test", "ori-test", "valid", "test")


class Named:
    """An architecture object as those of AutoDL-Projects: its string comes from `tostr`."""

    def __init__(self, string: str):
        self.string = string

    def __repr__(self) -> str:
        return f"Named({self.string!r})"

    def tostr(self) -> str:
        return self.string


class Call(NamedTuple):
    """A call of an API; `epochs`: of numbers at an earlier epoch, which are kept in single precision."""

    told: str
    of: Callable[[Any], Any]
    early: bool


class Draw:
    """Draws the arguments of calls: mostly legal ones, now and then any other."""

    def __init__(self, seed: int, space: str, archs: list[str]):
        self.rng = random.Random(seed)
        self.archs = archs
        self.hps = ("12", "200") if space == "tss" else ("01", "12", "90")

    def one(self, legal: Any, others: Any, share: float = 0.12) -> Any:
        return self.rng.choice(others if self.rng.random() < share else legal)

    def index(self) -> Any:
        others = [1, 7, -1, -2, len(self.archs), 10**6, np.int64(11), "nonsense", 2.5, None, "0", [0], (0,)]
        return self.one([0, 11, 0, 11, True and 11], others)

    def arch(self) -> Any:
        strings = [self.archs[0], self.archs[11]]
        named = [Named(string) for string in strings]
        return self.one([0, 11, *strings, *named], [self.archs[5], Named("nonsense"), self.index(), True])

    def hp(self) -> Any:
        legal = [*self.hps, *(int(hp) for hp in self.hps if hp != "01")]
        return self.one(legal, ["13", None, 1, "", "1", 12.0])

    def dataset(self) -> Any:
        return self.one(DATASETS, ["cifar", "CIFAR10", None, 10, "ImageNet", ("cifar10",)])

    def set_name(self) -> Any:
        return self.one(SETS, ["x-train", "", None])

    def seed(self) -> Any:
        return self.one(
            [True, False, 111, 777, 888, 999], [0, 1, -5, None, "mean", "777", 777.0, np.int64(777)]
        )

    def epoch(self, hp: Any) -> Any:
        last = int(hp) - 1 if str(hp).isdigit() else 11
        legal = [None, None, 0, last, self.rng.randint(0, max(last, 0)), np.int64(0)]
        return self.one(legal, [-1, last + 1, 10**9, "3", 2.0, -0.5, [1], None])


def early(epoch: Any, hp: Any) -> bool:
    return epoch is not None and (not str(hp).isdigit() or epoch != int(hp) - 1)


def random_calls(draw: Draw, kinds: Mapping[str, Callable[[Draw], Call]], number: int) -> Iterator[Call]:
    names = list(kinds)
    for _ in range(number):
        yield kinds[draw.rng.choice(names)](draw)


def call(name: str, *args: Any, early: bool = False, **kwargs: Any) -> Call:
    told = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())])
    return Call(f"{name}({told})", lambda api: getattr(api, name)(*args, **kwargs), early)


def outcome(api: Any, one: Call, seed: int) -> Any:
    """Return what the call gives (`show`: prints) and what its randomness leaves behind, or the type of its error."""
    random.seed(seed)
    printed = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("ignore")
            value = plain(one.of(api))
    except Exception as error:
        return type(error)
    return value, printed.getvalue() if one.told.startswith("show") else "", random.random()


def plain(value: Any) -> Any:
    """Return a value without the classes of either package; of comments, that there is one."""
    if isinstance(value, Mapping):
        return {key: "some" if key == "comment" else plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.tolist()
    if isinstance(value, np.floating | np.integer):
        return value.item()
    if type(value).__name__ == "ArchResults":
        fields = {
            key: getattr(value, key) for key in ("arch_index", "arch_str", "dataset_seed", "clear_net_done")
        }
        return repr(value), fields, {key: plain(run) for key, run in value.all_results.items()}
    if type(value).__name__ == "ResultsCount":
        fields = ("name", "seed", "epochs", "latency", "arch_config", "params", "flop", "net_state_dict")
        return {key: plain(getattr(value, key)) for key in fields}, sorted(value.get_eval_set())
    return value


def same(ours: Any, theirs: Any, rel: float) -> bool:
    """Whether two outcomes are equal, numbers up to `rel`; an error of a type that is caught as theirs is."""
    if isinstance(theirs, type) or isinstance(ours, type):
        return isinstance(ours, type) and isinstance(theirs, type) and issubclass(ours, theirs)
    if isinstance(theirs, float) and isinstance(ours, float):
        return ours == theirs or bool(np.isclose(ours, theirs, rtol=rel, atol=0))
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key], rel) for key in theirs)
    if isinstance(theirs, list | tuple):
        lengths = type(ours) is type(theirs) and len(ours) == len(theirs)
        return lengths and all(same(a, b, rel) for a, b in zip(ours, theirs, strict=True))
    return type(ours) is type(theirs) and bool(ours == theirs)


# the kinds of calls


def more_info(draw: Draw) -> Call:
    hp = draw.hp()
    epoch = draw.epoch(hp)
    asked = {"iepoch": epoch, "hp": hp, "is_random": draw.seed()}
    return call("get_more_info", draw.arch(), draw.dataset(), early=early(epoch, hp), **asked)


def metrics(draw: Draw) -> Call:
    hp = draw.hp()
    epoch = draw.epoch(hp)
    index, dataset, set_name, seed = draw.index(), draw.dataset(), draw.set_name(), draw.seed()
    return Call(
        f"query_meta_info_by_index({index!r}, hp={hp!r}).get_metrics({dataset!r}, {set_name!r}, {epoch!r}, {seed!r})",
        lambda api: api.query_meta_info_by_index(index, hp=hp).get_metrics(dataset, set_name, epoch, seed),
        early(epoch, hp),
    )


def of_results(draw: Draw) -> Call:
    """A method of `ArchResults`."""
    hp, index, dataset = draw.hp(), draw.index(), draw.dataset()
    name, args = draw.rng.choice(
        [
            ("get_compute_costs", (dataset,)),
            ("get_dataset_names", ()),
            ("get_dataset_seeds", (dataset,)),
            ("get_latency", (dataset,)),
            ("get_total_epoch", ()),
            ("get_total_epoch", (dataset,)),
            ("arch_idx_str", ()),
            ("query", (dataset,)),
            ("query", (dataset, draw.seed())),
        ]
    )
    told = f"query_by_index({index!r}, hp={hp!r}).{name}{args!r}"
    return Call(told, lambda api: getattr(api.query_by_index(index, hp=hp), name)(*args), False)


def of_run(draw: Draw) -> Call:
    """A method or field of `ResultsCount`."""
    hp, index, dataset, seed = draw.hp(), draw.index(), draw.dataset(), draw.rng.choice([111, 777, 888, 999])
    epoch = draw.epoch(hp)
    name, args = draw.rng.choice(
        [
            ("get_train", (epoch,)),
            ("get_eval", (draw.set_name(), epoch)),
            ("get_eval", (draw.set_name(),)),
            ("get_times", ()),
            ("get_latency", ()),
            ("get_total_epoch", ()),
            ("get_config", (None,)),
            ("get_config", (len,)),
        ]
    )
    told = f"query_by_index({index!r}, {dataset!r}, hp={hp!r})[{seed}].{name}{args!r}"

    def of(api: Any) -> Any:
        return getattr(api.query_by_index(index, dataset, hp=hp)[seed], name)(*args)

    return Call(told, of, epoch in args and early(epoch, hp))


def costs(draw: Draw) -> Call:
    name = draw.rng.choice(["get_cost_info", "get_latency"])
    return call(name, draw.index(), draw.dataset(), hp=draw.hp())


def query(draw: Draw) -> Call:
    if draw.rng.random() < 0.5:
        return call("query_by_index", draw.index(), draw.rng.choice([None, draw.dataset()]), hp=draw.hp())
    return call("query_meta_info_by_index", draw.index(), hp=draw.hp())


def space(draw: Draw) -> Call:
    """What the space alone answers."""
    name = draw.rng.choice(
        ["query_index_by_arch", "arch", "random", "__getitem__", "__len__", "get_net_config"]
    )
    args: dict[str, tuple[Any, ...]] = {
        "query_index_by_arch": (draw.arch(),),
        "arch": (draw.one([0, 11, 5, len(draw.archs) - 1], [-1, len(draw.archs), "0", None]),),
        "__getitem__": (draw.one([0, 11, 5, -1], [len(draw.archs), "0", None, slice(0, 3)]),),
        "get_net_config": (draw.index(), draw.dataset()),
    }
    return call(name, *args.get(name, ()))


def text(draw: Draw) -> Call:
    name = draw.rng.choice(["query_by_arch", "query_info_str_by_arch", "show"])
    if name == "show":
        return call("show", draw.one([0, 11], [5, -1, len(draw.archs), None, "0"]))
    return call(name, draw.arch(), hp=draw.one(draw.hps, [12, "13", None]))


def housekeeping(draw: Draw) -> Call:
    return draw.rng.choice(
        [
            call("clear_params", draw.index(), draw.rng.choice([None, draw.hp()])),
            call("reset_time"),
            call("statistics", draw.dataset(), draw.hp()),
            Call("used_time", lambda api: api.used_time, False),
            Call("avaliable_hps", lambda api: sorted(api.avaliable_hps), False),
            Call("evaluated_indexes", lambda api: sorted(api.evaluated_indexes), False),
            Call("list(api)[:20]", lambda api: list(api)[:20], False),
            Call("meta_archs", lambda api: api.meta_archs[::997], False),
        ]
    )


def lists_and_matrices(draw: Draw) -> Call:
    """The static methods of the topology space."""
    broken = [
        "",
        "|a~0|",
        "|none~0",
        "none",
        "|none~0~1|",
        "|none~x|",
        "a|b",
        None,
        3,
        "|skip_connect~0|+|none~5|",
    ]
    arch = draw.one([draw.rng.choice(draw.archs)], broken, 0.3)
    if draw.rng.random() < 0.3:
        return call("str2matrix", arch, draw.rng.choice([["none", "skip_connect"], ["none"], []]))
    return call(draw.rng.choice(["str2lists", "str2matrix"]), arch)


def simulated(draw: Draw) -> Call:
    hp = draw.hp()
    epoch = draw.epoch(hp)
    dataset = draw.one(DATASETS[1:], [draw.dataset(), "cifar10-valid"])
    asked = {"iepoch": epoch, "hp": hp, "account_time": draw.rng.choice([True, False])}
    return call("simulate_train_eval", draw.arch(), dataset, early=early(epoch, hp), **asked)


def unique(draw: Draw) -> Call:
    return call("get_unique_str", draw.one([draw.rng.choice(draw.archs), draw.arch()], [draw.index()]))


def best(draw: Draw) -> Call:
    limits = {"flop_max": draw.rng.choice([None, None, 1.0, 16.0]), "param_max": draw.rng.choice([None, 0.2])}
    set_name = draw.rng.choice(["train", "valid", "test", draw.set_name()])
    hp = draw.one(draw.hps, ["13", 12])
    asked = limits | {"hp": hp, "enforce_all": draw.one([None, False], [True])}
    return call("find_best", draw.dataset(), set_name, **asked)


def simulated_201(draw: Draw) -> Call:
    asked = {"hp": draw.hp(), "account_time": draw.rng.choice([True, False])}
    return call("simulate_train_eval", draw.arch(), draw.one(DATASETS[1:], [draw.dataset()]), **asked)


def best_201(draw: Draw) -> Call:
    limits = {"FLOP_max": draw.rng.choice([None, None, 1.0, 16.0]), "Param_max": draw.rng.choice([None, 0.2])}
    set_name = draw.rng.choice(["train", "valid", "test", draw.set_name()])
    return call("find_best", draw.dataset(), set_name, **limits, hp=draw.one(draw.hps, ["13", 12]))


SHARED = (more_info, metrics, of_results, of_run, costs, query, space, text, housekeeping)
NATS = {each.__name__: each for each in (*SHARED, simulated, best)}
NAS_201 = {each.__name__: each for each in (*SHARED, lists_and_matrices, simulated_201, best_201)}
