from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from natslib.search.projection import Score, decide, mask_out
from natslib.weight_sharing.method import Batch
from natslib.weight_sharing.presets import settings_of
from tests.weight_sharing.tiny import Endless, calls_of, noise, supernet, tiny

PT = ["darts-pt", "darts-pt-fixed"]


class Passes(Endless):
    """A validation half of two batches; passes over all of it are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.passes = 0

    def whole(self) -> Iterator[Batch]:
        self.passes += 1
        yield noise(100, 12)
        yield noise(101, 5)


def short(name: str, **changes: Any) -> Any:
    """A method that trains one epoch and projects every second one, unless `changes` say otherwise."""
    return tiny(name, **{"epochs": 1, "tune_epochs": 2, "arch_learning_rate": 0.1} | changes)


def advance(method: Any, epoch: int, valid: Passes) -> None:
    method.begin_epoch(epoch)
    method.step(noise(epoch), noise(epoch + 50))
    method.end_epoch(valid)


def search(method: Any) -> tuple[Passes, list[dict[str, Any]]]:
    valid, records = Passes(), []
    for epoch in range(method.epochs):
        advance(method, epoch, valid)
        records.append(method.record())
    return valid, records


@pytest.mark.parametrize("name", PT)
def test_six_projections_by_thirty_masked_evaluations(name: str) -> None:
    method = short(name)
    valid, records = search(method)
    assert valid.passes == 30
    assert method.epochs == 11
    edges = [edge for record in records for edge in record["projected_edges"]]
    assert sorted(edges) == [0, 1, 2, 3, 4, 5]
    assert [len(record["projected_edges"]) for record in records] == [1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0]
    assert all(len(each["masked_accuracies"]) == 5 * len(each["projected_edges"]) for each in records)
    ops = [op for record in records for op in record["projected_ops"]]
    assert method.choose(valid) == tuple(ops[edges.index(edge)] for edge in range(6))
    for record in records:
        for op, scores in zip(
            record["projected_ops"], np.reshape(record["masked_accuracies"], (-1, 5)), strict=True
        ):
            assert scores[op] == scores.min()


def test_with_the_published_settings_projections_stand_before_tuning_epochs_0_5_10_15_20_and_24() -> None:
    method = tiny("darts-pt")
    assert method.epochs == 125
    before = [method.projected_after(epoch) for epoch in range(126)]
    steps = np.flatnonzero(np.diff(before)) + 1
    assert (steps - 100).tolist() == [0, 5, 10, 15, 20, 24]
    assert before[-1] == 6


def test_without_an_epoch_to_spare_the_last_two_edges_are_decided_together() -> None:
    method = short("darts-pt", tune_epochs=1)
    _, records = search(method)
    assert [len(record["projected_edges"]) for record in records] == [1, 1, 1, 1, 2, 0]


def test_a_mask_takes_one_operation_away_and_leaves_the_other_weights_as_they_are() -> None:
    method = short("darts-pt")
    with torch.no_grad():
        method.alphas.normal_(generator=torch.Generator().manual_seed(1))
    method.left = decide(method.left, 4, 2)
    mixture = method.alphas.softmax(1)
    calls = calls_of(method.network)
    method.decide_edge(1, Passes())
    assert len(calls) == 10  # five operations, two batches
    for number, (_, weights, active) in enumerate(calls):
        expected = mixture.clone()
        expected[4] = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0])
        expected[1, number // 2] = 0.0
        assert torch.equal(weights, expected)
        assert torch.equal(active, expected > 0)


@pytest.mark.parametrize("name", PT)
def test_a_decided_edge_is_one_hot_and_never_changes_again(name: str) -> None:
    method, valid, seen = short(name), Passes(), {}
    for epoch in range(method.epochs):
        advance(method, epoch, valid)
        seen |= {each.position: each.choice for each in method.decisions}
        with torch.no_grad():  # however the parameters move
            method.alphas[list(seen), [(op + 1) % 5 for op in seen.values()]] = 9.0
        for edge, op in seen.items():
            assert method.mixture()[edge].tolist() == [float(op == other) for other in range(5)]
            assert method.choose(valid)[edge] == op
    assert len(seen) == 6


def test_evaluation_uses_the_statistics_of_batches_and_leaves_no_trace() -> None:
    method = short("darts-pt")
    assert any("running_mean" in name for name, _ in method.network.named_buffers())
    start = {name: value.clone() for name, value in method.network.state_dict().items()}
    left = mask_out(method.left, 0, 3)
    score = method.evaluate(left, Passes())
    assert method.network.training
    assert all(torch.equal(value, start[name]) for name, value in method.network.state_dict().items())
    right, loss = 0.0, 0.0
    for images, labels, _ in Passes().whole():  # the same by hand, in training mode
        with torch.no_grad():
            logits = method.network(images, method.masked(left))
        right += (logits.argmax(1) == labels).sum().item()
        loss += cross_entropy(logits, labels, reduction="sum").item()
    assert score.accuracy == pytest.approx(100 * right / 17)
    assert score.loss == pytest.approx(loss / 17, rel=1e-5)


def test_the_operation_is_taken_whose_removal_hurts_most() -> None:
    method = short("darts-pt")
    scores = iter([Score(97.0, 0.1), Score(96.0, 0.2), Score(96.0, 0.4), Score(96.0, 0.3), Score(98.0, 0.9)])
    method.evaluate = lambda left, _: next(scores)
    assert method.decide_edge(3, Passes()).choice == 2


def test_edges_are_drawn_at_random_by_the_seed() -> None:
    orders = set()
    for seed in range(8):
        method, edges = short("darts-pt-magnitude", seed=seed), []
        for epoch in range(method.epochs):
            method.begin_epoch(epoch)
            method.end_epoch(Passes())
            edges += method.record()["projected_edges"]
        orders.add(tuple(edges))
    assert len(orders) > 5


def test_parameters_learn_to_the_end_but_for_the_fixed_form() -> None:
    learning, fixed = short("darts-pt", arch_weight_decay=0.0), short("darts-pt-fixed")
    start, valid = fixed.alphas.detach().clone(), Passes()
    for epoch in range(learning.epochs - 1):
        before, was_open = learning.alphas.detach().clone(), learning.left.all(axis=1)
        advance(learning, epoch, valid)
        assert (learning.alphas != before).any(dim=1)[torch.from_numpy(was_open)].all()
    search(fixed)
    assert torch.equal(fixed.alphas, start)
    assert not fixed.arch_optimizer.state
    assert start.abs().max() < 0.01


def test_parameters_learn_before_the_weights() -> None:
    method = short("darts-pt")
    calls = calls_of(method.network)
    train, valid = noise(1), noise(2)
    before = method.mixture().detach()
    method.step(train, valid)
    assert [arguments[0] is each.images for arguments, each in zip(calls, (valid, train), strict=True)] == [
        True,
        True,
    ]
    assert torch.equal(calls[0][1].detach(), before)
    assert torch.equal(calls[1][1], method.mixture())


def test_tuning_starts_with_a_fresh_optimizer_at_a_tenth_of_the_rate() -> None:
    method, valid, rates = short("darts-pt"), Passes(), []
    for epoch in range(method.epochs):
        method.begin_epoch(epoch)
        assert bool(method.weight_optimizer.state) == (epoch not in (0, 1))
        method.step(noise(epoch), noise(epoch + 50))
        rates.append(method.weight_optimizer.param_groups[0]["lr"])
        method.end_epoch(valid)
    assert rates == [0.025] + [0.0025] * 10


def test_the_published_settings_by_value() -> None:
    settings = settings_of("nats-bench", "darts-pt", "tss")
    assert settings == settings_of("nats-bench", "darts-pt-fixed", "tss")
    assert (settings.epochs, settings.tune_epochs, settings.tune_learning_rate) == (100, 5, 0.0025)
    assert (settings.learning_rate, settings.learning_rate_min, settings.batch) == (0.025, 0.001, 64)
    assert (settings.momentum, settings.nesterov, settings.weight_decay, settings.clip) == (
        0.9,
        False,
        3e-4,
        5.0,
    )
    assert (settings.arch_learning_rate, settings.arch_betas) == (3e-4, (0.5, 0.999))
    assert (settings.arch_weight_decay, settings.running_statistics) == (1e-3, True)
    assert (settings.scale.channels, settings.scale.cells) == (16, 5)


def test_the_ablation_decides_by_size_without_an_evaluation() -> None:
    method = short("darts-pt-magnitude")
    with torch.no_grad():
        method.alphas[3, 1] = 5.0
    valid = Passes()
    assert method.decide_edge(3, valid).choice == 1
    assert valid.passes == 0


def test_a_search_goes_on_from_the_middle_of_its_projections() -> None:
    whole, first, valid = short("darts-pt"), short("darts-pt"), Passes()
    for epoch in range(5):
        advance(first, epoch, valid)
    state, randomness = first.state_dict(), first.generator.get_state()
    rest = type(first)(supernet("tss", first.settings), first.settings, torch.Generator())
    rest.load_state_dict(state)
    rest.generator.set_state(randomness)
    for epoch in range(5, rest.epochs):
        advance(rest, epoch, valid)
    _, records = search(whole)
    assert rest.choose(valid) == whole.choose(valid)
    assert torch.equal(rest.alphas, whole.alphas)
    assert len(records) == rest.epochs
