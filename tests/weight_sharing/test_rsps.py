import pytest
import torch

from natslib.spaces import get_space
from natslib.spaces.cell import EDGES
from natslib.weight_sharing.method import Batch
from natslib.weight_sharing.methods.rsps import random_cells

from .tiny import Endless, calls_of, noise, tiny


def test_no_node_is_ever_without_input() -> None:
    codes = random_cells(4000, torch.Generator().manual_seed(0))
    for node in (1, 2, 3):
        entering = [edge for edge, (_, target) in enumerate(EDGES) if target == node]
        assert (codes[:, entering] > 0).any(1).all()


def test_else_all_operations_are_equally_frequent() -> None:
    """`none` is as frequent as a fifth, less the nodes that are drawn again: never at 0→1, seldom into node 3."""
    codes = random_cells(20000, torch.Generator().manual_seed(1))
    shares = torch.stack([(codes == op).float().mean(0) for op in range(5)])
    torch.testing.assert_close(shares[:, 0], torch.tensor([0.0, 0.25, 0.25, 0.25, 0.25]), atol=0.015, rtol=0)
    into_2, into_3 = ((0.2 - 0.2**edges) / (1 - 0.2**edges) for edges in (2, 3))
    expected = torch.tensor([0.0, into_2, into_2, into_3, into_3, into_3])
    torch.testing.assert_close(shares[0], expected, atol=0.015, rtol=0)


def test_cells_are_drawn_independently() -> None:
    method = tiny("rsps")
    calls = calls_of(method.network)
    for seed in range(20):
        method.step(noise(seed), noise(seed + 50))
    assert len(calls) == 20  # no pass over the validation batch
    active = torch.stack([call[2] for call in calls])
    assert active.shape == (20, method.network.n_cells, 6, 5)
    assert (active.sum(-1) == 1).all()
    codes = active.int().argmax(-1)
    assert (codes[:, 0] != codes[:, 1]).any(1).float().mean() > 0.9


def test_the_choice_is_the_best_of_distinct_candidates_on_a_batch_each() -> None:
    method = tiny("rsps", candidates=30)
    scored: list[tuple[int, ...]] = []

    def score(code: tuple[int, ...], batch: Batch) -> torch.Tensor:
        assert not method.network.training
        scored.append(code)
        return torch.tensor(float(len(scored) == 17))

    method.score = score
    batches = Endless()
    assert method.choose(batches) == scored[16]
    assert batches.taken == 30
    assert len(set(scored)) == 30
    assert all(get_space("tss").code(code) == code for code in scored)
    assert method.network.training


def test_a_candidate_is_scored_by_the_statistics_of_its_batch() -> None:
    method = tiny("rsps")
    batch, code = noise(3), (3, 3, 3, 3, 3, 3)
    method.network.eval()
    alone = method.network.cut_out(code).train()
    for norm in (alone.stem[1], *(m for b in (1, 3) for m in alone.body[b].modules())):
        norm.eval()  # stem and reduction blocks have running statistics
    right = (alone(batch.images).argmax(1) == batch.labels).float().mean()
    assert float(method.score(code, batch)) == float(100 * right)


@pytest.mark.parametrize("preset", ["nas-bench-201", "nas-bench-201-bn0"])
def test_nas_bench_201_draws_one_cell_for_the_network_and_leaves_nodes_empty(preset: str) -> None:
    method = tiny("rsps", preset)
    calls = calls_of(method.network)
    for seed in range(200):
        method.step(noise(seed, 4), noise(seed + 500, 4))
    active = torch.stack([call[2] for call in calls])
    assert active.shape == (200, 6, 5)
    assert (active.sum(-1) == 1).all()
    shares = active.float().mean(0)
    torch.testing.assert_close(shares, torch.full((6, 5), 0.2), atol=0.09, rtol=0)
    assert active[:, 0, 0].any(), "node 1 always had an input"
