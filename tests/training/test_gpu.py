"""On a CUDA device: the losses are those of a CPU, a captured step does what an eager one does, memory runs out."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from natslib.training.candidates import Manner, initial_network, train_group
from natslib.training.captured import cuda_graph
from natslib.training.images import ImageSet
from natslib.training.jobs import Job, jobs_for
from natslib.training.loop import LearningCurve, train
from natslib.training.recipes import PAPER_SCALE, Recipe

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
]
CUDA = torch.device("cuda")
NETWORKS = [
    Job("tss", 11, "tiny", "3", 777),
    Job("tss", 284, "tiny", "3", 777),
    Job("sss", 9000, "tiny", "3", 777),
]


@pytest.fixture
def exact() -> Iterator[None]:
    """Without TF32, and with the algorithms that natslib trains by."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = False, True
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = before


@pytest.fixture
def three_steps(tiny_recipe: Recipe) -> Recipe:
    """One epoch of the tiny images: three steps."""
    return replace(tiny_recipe, epochs=1)


def losses(curves: dict[str, LearningCurve]) -> dict[str, list[float]]:
    return {name: curve.loss for name, curve in curves.items()}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("job", NETWORKS)
def test_three_steps_lose_on_a_gpu_what_they_lose_on_a_cpu(
    tiny_images: ImageSet, three_steps: Recipe, job: Job
) -> None:
    found = [
        losses(
            train(initial_network(job, tiny_images, three_steps), tiny_images.to(device), three_steps, 777)
        )
        for device in (torch.device("cpu"), CUDA)
    ]
    for name, loss in found[0].items():
        np.testing.assert_allclose(found[1][name], loss, rtol=1e-3, err_msg=name)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("job", NETWORKS)
@pytest.mark.parametrize("images", [48, 42])
def test_a_graph_trains_as_eager_steps_do(
    tiny_images: ImageSet, tiny_recipe: Recipe, job: Job, images: int
) -> None:
    data = replace(tiny_images, train=tiny_images.train.take(slice(images))).to(CUDA)
    eager, captured = (
        losses(train(initial_network(job, data, tiny_recipe), data, tiny_recipe, 777, capture))
        for capture in (None, cuda_graph)
    )
    for name, loss in eager.items():
        np.testing.assert_allclose(captured[name], loss, rtol=1e-4, err_msg=name)


def test_a_group_that_really_does_not_fit_is_halved(tiny_images: ImageSet, three_steps: Recipe) -> None:
    """The paper's scale, of which 32 candidates want more than the share of the memory that is left to them."""
    recipe, data = replace(three_steps, scale=PAPER_SCALE, batch=48), tiny_images.to(CUDA)
    total = torch.cuda.get_device_properties(CUDA).total_memory
    jobs, manner = jobs_for("tss", np.arange(32), "tiny", "3", (777,)), Manner()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(300e6 / total)
    try:
        with pytest.warns(UserWarning, match="need more memory than there is: going on with"):
            entries = train_group(jobs, data, recipe, {}, manner)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert [entry["arch_index"] for entry in entries] == list(range(32))
    assert manner.largest[("tiny", "3")] < 32
