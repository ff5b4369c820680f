"""FLOPs and parameters that the runs of an architecture disagree on: seed 888 answers, as officially, or nobody."""

import bz2
import pickle

import pytest

from natslib.nats_bench import create
from tests.dropin.archives import invented


@pytest.fixture
def apis(cache, tmp_path):
    """Both APIs over an archive where seed 777 of architecture 1 has other costs, and of 2, which has no seed 888."""
    nats_bench = pytest.importorskip("nats_bench", reason="the official reader is not installed: extra 'dev'")
    folder = invented(tmp_path, number=30)
    for index in (1, 2):
        path = folder / f"{index:06d}.pickle.pbz2"
        record = pickle.loads(bz2.decompress(path.read_bytes()))
        part = record["200"]
        part["all_results"]["cifar100", 777]["params"] += 0.5
        part["all_results"]["cifar100", 777]["flop"] += 50.0
        if index == 2:
            del part["all_results"]["cifar100", 888]
            part["dataset_seed"]["cifar100"].remove(888)
        path.write_bytes(bz2.compress(pickle.dumps(record, protocol=4)))
    return create(str(folder), "tss", True, False), nats_bench.create(str(folder), "tss", True, False)


def test_seed_888_answers(apis):
    ours, theirs = (api.get_cost_info(1, "cifar100", "200") for api in apis)
    assert ours == theirs
    runs = apis[0].query_by_index(1, "cifar100", "200")
    assert ours["flops"] == runs[888].flop != runs[777].flop


def test_without_it_nobody_does(apis):
    for api in apis:
        with pytest.raises(ValueError, match="888"):
            api.get_cost_info(2, "cifar100", "200")


def test_a_search_within_limits_takes_the_same_costs(apis):
    for api in apis:
        for index in (0, 1, *range(3, 30)):
            api.get_more_info(index, "cifar100")
    ours, theirs = apis
    costs = sorted(theirs.get_cost_info(index, "cifar100", "200")["flops"] for index in (0, 1, *range(3, 30)))
    for limit in costs[::4]:
        asked = {"hp": "200", "enforce_all": False}
        for limits in ({"flop_max": limit}, {"flop_max": limit, "param_max": limit / 150}):
            found = ours.find_best("cifar100", "valid", **limits, **asked)
            assert found == theirs.find_best("cifar100", "valid", **limits, **asked)
