"""Orthogonal steps, by singular values and beside AdamW."""

from types import SimpleNamespace

import pytest
import torch
from conftest import TINY
from torch import nn

from speechgru.checkpoint.storage import DESCRIPTION_KEY, read_checkpoint
from speechgru.interfaces import InputError
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.ligru import LiGRUEncoder
from speechgru.model.encoders.lstm import LSTMEncoder
from speechgru.options.training import TrainerOptions
from speechgru.score.learning import read_learning_curves
from speechgru.training.ctc import CTCTask
from speechgru.training.length import Length
from speechgru.training.muon import Muon, orthogonalize


@pytest.mark.parametrize("shape", [(24, 40), (40, 24)])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e6])
def test_singular_values_become_one_and_vectors_stay(shape, scale):
    generator = torch.Generator().manual_seed(0)
    matrix = scale * torch.randn(*shape, generator=generator)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    within = left.T @ orthogonalize(matrix) @ right.T
    values = within.diagonal()
    assert 0.6 < values.min() <= values.max() < 1.25
    assert (within - values.diag()).abs().max() < 1e-4


def test_half_the_precision_brings_singular_values_near_one_as_well():
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(24, 40, generator=generator)
    turned = orthogonalize(matrix, torch.bfloat16)
    assert turned.dtype == torch.bfloat16
    values = torch.linalg.svdvals(turned.float())
    assert 0.6 < values.min() <= values.max() < 1.25
    difference = turned.float() - orthogonalize(matrix)
    assert difference.norm() < 0.03 * turned.float().norm()


def test_nothing_stays_nothing():
    assert torch.equal(orthogonalize(torch.zeros(4, 6)), torch.zeros(4, 6))


def test_a_step_by_hand():
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(12, 6, generator=generator)
    weight = nn.Parameter(start.clone())
    group = {"params": [weight], "weight_decay": 0.5, "block_shape": (4, 6)}
    optimizer = Muon([group], learning_rate=0.1, momentum=0.9)
    expected, mean = start, torch.zeros(12, 6)
    for _ in range(3):
        weight.grad = torch.randn(12, 6, generator=generator)
        mean = 0.9 * mean + 0.1 * weight.grad
        ahead = 0.1 * weight.grad + 0.9 * mean
        gates = [orthogonalize(gate) for gate in ahead.split(4)]
        expected = expected * 0.95 - 0.1 * 0.2 * 6**0.5 * torch.cat(gates)
        optimizer.step()
        torch.testing.assert_close(weight.detach(), expected)


def test_the_filters_of_a_convolution_are_one_block():
    generator = torch.Generator().manual_seed(3)
    weight = nn.Conv2d(3, 8, 5).to(memory_format=torch.channels_last).weight
    start = weight.detach().clone()
    weight.grad = torch.randn(weight.shape, generator=generator)
    group = {"params": [weight], "weight_decay": 0.0, "block_shape": (8, 75)}
    Muon([group], learning_rate=0.1).step()
    step = orthogonalize(weight.grad.flatten(1)).view_as(start)
    expected = start - 0.1 * 0.2 * 75**0.5 * step
    torch.testing.assert_close(weight.detach(), expected)


def test_other_groups_are_adamws():
    generator = torch.Generator().manual_seed(2)
    ours, theirs = (nn.Parameter(torch.ones(5)) for _ in range(2))
    matrix = nn.Parameter(torch.ones(2, 3))
    optimizer = Muon(
        [
            {"params": [ours], "weight_decay": 0.1},
            {"params": [matrix], "weight_decay": 0.0, "block_shape": (2, 3)},
        ],
        learning_rate=0.01,
    )
    reference = torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.1)
    for _ in range(4):
        ours.grad = torch.randn(5, generator=generator)
        theirs.grad = ours.grad.clone()
        matrix.grad = torch.randn(2, 3, generator=generator)
        optimizer.step()
        reference.step()
    assert torch.equal(ours, theirs)
    assert set(optimizer.state[matrix]) == {"mean_gradient"}


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_the_matrices_of_a_run_are_muons(call, tones, tmp_path):
    folder = tmp_path / "run"
    code, _, err = call(
        "train", *TINY, *tones.overrides, "task.optimizer=muon",
        "trainer.max_epochs=6", "logger.csv=true", f"hydra.run.dir={folder}",
    )  # fmt: skip
    assert code == 0, err
    losses = [row["train/loss"] for row in read_learning_curves(folder)]
    assert losses[-1] < losses[0] / 2
    last = read_checkpoint(folder / "last.ckpt")
    (optimizer,) = last["optimizer_states"]
    _, _, *matrices = optimizer["param_groups"]
    assert matrices
    for group in matrices:
        for index in group["params"]:
            assert set(optimizer["state"][index]) == {"mean_gradient"}


@pytest.mark.parametrize(
    ("encoder", "gates"), [(GRUEncoder, 3), (LiGRUEncoder, 2), (LSTMEncoder, 4)]
)
def test_each_gate_of_each_direction_is_a_block(encoder, gates):
    model = nn.Module()
    model.encoder = encoder(input_size=5, hidden_size=8, num_layers=1)
    model.subsampling = nn.Conv2d(3, 4, 5)
    _, _, *matrices = make_task(model, optimizer="muon").parameter_groups()
    blocks = {
        group["block_shape"]: sum(p.numel() for p in group["params"])
        for group in matrices
    }
    # Of the inputs, of the state, and all filters.
    assert blocks == {(8, 5): 2 * gates * 40, (8, 8): 2 * gates * 64, (4, 75): 300}


@pytest.mark.parametrize(
    ("precision", "of_products"),
    [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16),
     ("16-mixed", torch.float32)],
)  # fmt: skip
def test_steps_are_made_orthogonal_in_the_precision_of_the_run(precision, of_products):
    model = nn.Module()
    model.encoder = GRUEncoder(input_size=5, hidden_size=8, num_layers=1)
    model.subsampling = nn.Conv2d(3, 4, 5)
    task = make_task(model, optimizer="muon")
    task._trainer = SimpleNamespace(
        precision=precision,
        datamodule=SimpleNamespace(length=Length(TrainerOptions(max_steps=10))),
    )
    assert task.configure_optimizers()["optimizer"].precision == of_products


def make_task(model, **options):
    return CTCTask(
        model, None, None, model_config={}, metadata={}, seed=1, learning_rate=1e-3,
        weight_decay=0.0, schedule="one_cycle", warmup=0.1, clip_norm=1.0, **options,
    )  # fmt: skip


def test_a_run_with_other_groups_is_not_resumed():
    model = nn.Module()
    model.encoder = GRUEncoder(input_size=5, hidden_size=8, num_layers=1)
    model.subsampling = nn.Conv2d(3, 4, 5)
    metadata = {"step": 3, "cpu_seconds": 1.0, "speechgru": "0.0.9", "commit": "abc"}
    state = {"param_groups": [{"params": [0, 1]}, {"params": [2]}]}
    checkpoint = {
        DESCRIPTION_KEY: {"metadata": metadata},
        "optimizer_states": [state],
    }
    task = make_task(model, optimizer="muon")
    with pytest.raises(InputError, match=r"\[2, 1\] parameters, .*0\.0\.9, commit abc"):
        task.on_load_checkpoint(checkpoint)


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(InputError, match="'sgd', expected one of: adamw, muon"):
        make_task(GRUEncoder(3, 4, 1), optimizer="sgd")
