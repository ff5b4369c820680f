"""NAS-OoD: who descends and who ascends, what is learned on which images, and what a generator makes of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from natslib.errors import ConfigError
from natslib.training.images import Sealed, Split
from natslib.training.novel_domain import Form, NovelDomain
from natslib.weight_sharing.data import SearchData, load_search_data, search_data
from natslib.weight_sharing.loop import CHECKPOINT, Run, run_search
from natslib.weight_sharing.method import Batch
from natslib.weight_sharing.presets import settings_of
from tests.recorded import double_precision
from tests.shifted import shifted_images, shifted_split

from .tiny import CLASSES, SCALE, noise, tiny

FORMS = pytest.mark.parametrize("name", ["nas-ood", "nas-ood-bilevel"])
RATES = {"learning_rate": 0.0, "learning_rate_min": 0.0, "arch_learning_rate": 0.0, "clip": torch.inf}
STILL = {"generator_learning_rate": 0.0}
WEIGHTS = ("cycle_weight", "label_weight", "novelty_weight")


def shifted(**form: Any) -> SearchData:
    return search_data(shifted_images(**form), shifted_split(36, 1, **form))


def batch(seed: int, n: int = 12) -> Batch:
    some = noise(seed, n)
    return Batch(some.images.double(), some.labels, torch.arange(n) % 2)


def settled(name: str, novelty: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Return a method with a generator and classifiers that were not trained, in double precision."""
    chosen = settings_of("digits", name, "tss").novelty
    method = tiny(name, "digits", **changes, novelty=replace(chosen, **(novelty or {})))
    method.novel = NovelDomain(Form(1, 8, CLASSES, 2), method.novelty, SCALE, 0, method.device)
    return method


@pytest.fixture
def _double() -> Iterator[None]:
    with double_precision():
        yield


def network_loss(method: Any, some: Batch) -> Tensor:
    drawn = method.novel.draw(some.images, some.domains)
    return cross_entropy(method.network(drawn, method.mixture()), some.labels)


def rises(method: Any, parameters: list[Tensor], some: Batch) -> tuple[float, float]:
    """Return how much the network's loss rises a unit of a small step down the gradients, and their squared norm."""
    gradients = [parameter.grad.clone() for parameter in parameters]
    norm = float(sum(gradient.square().sum() for gradient in gradients))
    step, ends = 1e-6 / norm**0.5, []
    with torch.no_grad():
        for sign in (1, -1):
            torch._foreach_add_(parameters, gradients, alpha=-sign * step)
            ends.append(float(network_loss(method, some)))
            torch._foreach_add_(parameters, gradients, alpha=sign * step)
    return (ends[0] - ends[1]) / (2 * step), norm


@pytest.mark.usefixtures("_double")
@FORMS
@pytest.mark.parametrize("reversal", [True, False])
def test_down_its_gradient_the_generator_ascends_and_the_others_descend(name: str, reversal: bool) -> None:
    """By finite differences, every weight of the generator's own loss being zero."""
    method = settled(name, dict.fromkeys(WEIGHTS, 0.0) | STILL | {"reversal": reversal}, **RATES)
    some = batch(1)
    method.step(batch(2) if name == "nas-ood-bilevel" else some, some)
    for parameters, sign in [
        (list(method.novel.generator.parameters()), 1 if reversal else -1),
        ([method.alphas], -1),
        *([(list(method.network.parameters()), -1)] if name == "nas-ood" else []),
    ]:
        rise, norm = rises(method, parameters, some)
        assert rise == pytest.approx(sign * norm, rel=1e-3)
        assert norm > 0


@pytest.mark.usefixtures("_double")
def test_one_backward_pass_gives_the_sum_of_the_separate_gradients() -> None:
    method, some = settled("nas-ood", STILL, **RATES), batch(1)
    generator = list(method.novel.generator.parameters())
    own = torch.autograd.grad(method.novel.judged(*some).loss, generator)
    network = list(method.network.parameters())
    of_network = torch.autograd.grad(network_loss(method, some), [*generator, method.alphas, *network])
    method.step(some, some)
    expected = [mine - theirs for mine, theirs in zip(own, of_network, strict=False)]
    for parameter, gradient in zip(generator, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=1e-6)
    for parameter, gradient in zip([method.alphas, *network], of_network[len(own) :], strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("_double")
def test_a_step_moves_each_of_the_three_once_and_no_classifier() -> None:
    method, steps = settled("nas-ood"), []
    optimizers = {"weights": method.weight_optimizer, "alphas": method.arch_optimizer}
    optimizers["generator"] = method.novel.optimizer
    for name, optimizer in optimizers.items():
        optimizer.register_step_post_hook(lambda *_, name=name: steps.append(name))
    judges = [method.novel.classes, method.novel.domains]
    before = [{key: value.clone() for key, value in judge.state_dict().items()} for judge in judges]
    method.step(batch(1), batch(2))
    assert sorted(steps) == sorted(optimizers)
    for judge, state in zip(judges, before, strict=True):
        torch.testing.assert_close(dict(judge.state_dict()), state, rtol=0, atol=0)


@pytest.mark.usefixtures("_double")
@FORMS
def test_which_images_the_weights_and_the_mixture_learn_on(name: str) -> None:
    """Single level: all on the training batch. Two levels: mixture and generator on the held-out batch alone."""
    gradients = {}
    for train, valid in ((1, 2), (1, 3), (4, 2)):
        method = settled(name, STILL, **RATES)
        method.step(batch(train), batch(valid))
        parts = (method.network.parameters(), [method.alphas], method.novel.generator.parameters())
        gradients[train, valid] = [torch.cat([p.grad.flatten() for p in part]) for part in parts]
    by_valid = [not torch.equal(a, b) for a, b in zip(gradients[1, 2], gradients[1, 3], strict=True)]
    by_train = [not torch.equal(a, b) for a, b in zip(gradients[1, 2], gradients[4, 2], strict=True)]
    two_levels = name == "nas-ood-bilevel"
    assert by_valid == [False, two_levels, two_levels]
    assert by_train == [True, not two_levels, not two_levels]


@pytest.mark.parametrize(("share", "drawn"), [(1.0, 12), (0.5, 6), (0.0, 0)])
def test_a_share_of_the_batch_is_drawn_anew(share: float, drawn: int) -> None:
    novel = settled("nas-ood", {"synthetic_share": share}).novel
    ones, zeros = torch.ones(12, 1, 8, 8), torch.zeros(12, 1, 8, 8)
    mixed = novel.mixed(ones, zeros)
    assert mixed[:drawn].eq(1).all()
    assert mixed[drawn:].eq(0).all()


def test_in_two_levels_the_weights_see_drawn_and_real_images_in_equal_parts() -> None:
    assert settings_of("nas-ood", "nas-ood-bilevel", "tss").novelty.synthetic_share == 0.5
    assert settings_of("nas-ood", "nas-ood", "tss").novelty.synthetic_share == 1


def test_each_ablation_lacks_what_its_name_says() -> None:
    whole = settings_of("digits", "nas-ood", "tss").novelty
    assert (whole.cycle_weight, whole.label_weight, whole.novelty_weight) == (10, 1, 0.1)
    lacking = {
        "reversal": ("reversal", False),
        "transport": ("novelty_weight", 0),
        "cycle": ("cycle_weight", 0),
    }
    for part, (name, value) in lacking.items():
        assert settings_of("digits", f"nas-ood-no-{part}", "tss").novelty == replace(whole, **{name: value})


def test_published_settings_are_the_released_ones() -> None:
    settings = settings_of("nas-ood", "nas-ood", "tss")
    novelty = settings.novelty
    assert (settings.learning_rate_of(0), settings.learning_rate_of(599)) == (0.025, 0.025)
    assert (settings.momentum, settings.weight_decay, settings.clip) == (0.9, 3e-4, 5)
    assert (settings.arch_learning_rate, settings.arch_betas, settings.arch_weight_decay) == (
        3e-4,
        (0.5, 0.999),
        1e-3,
    )
    assert (novelty.generator_learning_rate, novelty.cycle_weight) == (1e-4, 10)
    assert (novelty.label_weight, novelty.novelty_weight, novelty.unit_embeddings) == (0.01, 0.01, False)


def small(**changes: Any) -> Any:
    smoke = settings_of("smoke", "nas-ood", "tss")
    novelty = replace(smoke.novelty, classifier_epochs=changes.pop("classifier_epochs", 30))
    return replace(smoke, scale=SCALE, batch=20, valid_batch=18, scored=3, novelty=novelty, **changes)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("trained", [0, 1])
def test_a_search_killed_while_its_classifiers_train_begins_anew_with_the_same_records(
    trained: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_search("nas-ood", shifted(), small(), 0, tmp_path / "whole")
    train_judge, calls = NovelDomain._train_judge, []

    def dying(*arguments: Any) -> float:
        if len(calls) == trained:
            raise Killed
        calls.append(arguments)
        return train_judge(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(NovelDomain, "_train_judge", dying)
        with pytest.raises(Killed):
            run_search("nas-ood", shifted(), small(), 0, tmp_path / "killed")
    again = run_search("nas-ood", shifted(), small(), 0, tmp_path / "killed")
    pd.testing.assert_frame_equal(whole.drop(columns="time_s"), again.drop(columns="time_s"))


def test_a_search_that_goes_on_does_not_train_its_classifiers_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = shifted()
    run = Run("nas-ood", data, small(), 0)
    run.advance()
    run.save(tmp_path / CHECKPOINT)
    monkeypatch.setattr(NovelDomain, "_train_judge", None)
    other = Run("nas-ood", data, small(), 0)
    other.restore(tmp_path / CHECKPOINT)
    for mine, kept in zip((other, run), (run, other), strict=True):
        assert mine.method.novel.accuracies == kept.method.novel.accuracies
    for part in ("generator", "classes", "domains"):
        states = [dict(getattr(each.method.novel, part).state_dict()) for each in (run, other)]
        torch.testing.assert_close(*states, rtol=0, atol=0)
    run.advance()
    other.advance()
    frames = [pd.DataFrame(each.rows).drop(columns="time_s") for each in (run, other)]
    pd.testing.assert_frame_equal(*frames)


def test_the_records_say_how_the_generator_fares(tmp_path: Path) -> None:
    records = run_search("nas-ood", shifted(), small(epochs=4), 0, tmp_path)
    trained = records.iloc[1:]
    losses = ["cycle_loss", "label_loss", "transport", "synthetic_loss"]
    compared = ["label_accuracy", "confidence", "source_confidence", "distance", "source_distance"]
    assert records[losses + compared].iloc[0].isna().all()
    assert trained[losses + compared].notna().all().all()
    assert trained["cycle_loss"].iloc[-1] < trained["cycle_loss"].iloc[0]
    assert trained["confidence"].between(50, 100).all()
    assert records["domain_accuracy"].nunique() == 1
    assert records["domain_accuracy"].iloc[0] > 90
    # all images that the weights see are drawn ones
    assert trained["synthetic_loss"].tolist() == pytest.approx(trained["train_loss"].tolist())


def test_a_finished_search_keeps_its_generator(tmp_path: Path) -> None:
    data = shifted()
    run_search("nas-ood", data, small(), 0, tmp_path)
    run = Run("nas-ood", data, small(), 0)
    for _ in range(3):
        run.advance()
    kept = torch.load(tmp_path / "generator.pt", weights_only=True)
    assert Form(*kept["form"]) == Form(1, 8, CLASSES, 2)
    torch.testing.assert_close(
        kept["generator"], dict(run.method.novel.generator.state_dict()), rtol=0, atol=0
    )
    assert not (tmp_path / CHECKPOINT).exists()


def test_environments_that_look_alike_are_said_to() -> None:
    run = Run("nas-ood", shifted(alike=True), small(), 0)
    with pytest.warns(UserWarning, match=r"the environments look alike: .* novelty is not measurable"):
        run.advance()


def test_one_environment_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"nas-ood needs 2 or more source environments; shifted has 1 \(0\)"
    ):
        run_search("nas-ood", shifted(domains=1), small(), 0, tmp_path)
    digits = load_search_data("digits", tmp_path, torch.device("cpu"), verify=True)
    with pytest.raises(ConfigError, match="needs 2 or more source environments; digits has none"):
        run_search("nas-ood", digits, small(), 0, tmp_path)


def test_small_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nas-ood needs images of 8 or more pixels a side; shifted has 6"):
        run_search("nas-ood", shifted(side=6), small(), 0, tmp_path)


def test_settings_without_a_novel_domain_are_refused() -> None:
    settings = settings_of("nats-bench", "nas-ood", "tss")
    with pytest.raises(ConfigError, match="the settings 'nats-bench' do not say how nas-ood draws"):
        Run("nas-ood", shifted(), replace(settings, scale=SCALE), 0)
    with pytest.raises(ConfigError, match=r"'nas-ood' are for nas-ood, nas-ood-bilevel"):
        settings_of("nas-ood", "gdas", "tss")


@pytest.mark.filterwarnings("ignore:the environments look alike")
@pytest.mark.parametrize("name", ["nas-ood", "nas-ood-bilevel"])
def test_a_search_never_opens_the_target(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(_: Sealed, split: str) -> Split:
        raise AssertionError(f"{split} was looked at")

    monkeypatch.setattr(Sealed, "__getitem__", opened)
    data = load_search_data("digits-tinted", tmp_path, torch.device("cpu"), verify=True)
    few = torch.arange(40)
    data = search_data(replace(data.train, train=data.train.train.take(few)), data.valid.train.take(few))
    settings = replace(small(classifier_epochs=1), novelty=settings_of("smoke", name, "tss").novelty)
    assert len(run_search(name, data, settings, 0, tmp_path)) == 3
