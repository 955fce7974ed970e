"""`speechgru average`, from checkpoints as `train` writes them."""

from copy import deepcopy

import pytest
import torch

from speechgru.checkpoint.average import average_checkpoints
from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    read_checkpoint,
    write_checkpoint,
)
from speechgru.cli.average import main
from speechgru.cli.main import UsageError
from speechgru.interfaces import InputError


@pytest.fixture
def write(tmp_path, checkpoint):
    """Write the checkpoint with all its numbers set to one, and changed as asked."""
    original = read_checkpoint(checkpoint)

    def write(name, value, change=lambda content: None):
        content = deepcopy(original)
        for weight in content["state_dict"].values():
            weight.fill_(value)
        content[DESCRIPTION_KEY]["metadata"] |= {"epoch": int(value), "val_wer": 0.5}
        change(content)
        write_checkpoint(content, tmp_path / name)
        return tmp_path / name

    return write


def test_weights_are_the_mean(write, tmp_path, capsys):
    paths = [write(f"{value}.ckpt", value) for value in (1, 2, 6)]
    output = tmp_path / "average.ckpt"
    assert main(list(map(str, paths))) == 0
    assert capsys.readouterr().out == f"checkpoint: {output}\n"
    weights = load_checkpoint(output).model.state_dict()
    floating = [v for v in weights.values() if v.is_floating_point()]
    assert floating
    for value in floating:
        assert torch.equal(value, torch.full_like(value, 3))
    metadata = load_checkpoint(output).metadata
    assert metadata["averaged"] == [str(path) for path in paths]
    assert metadata["epoch"] == 6
    assert metadata["corpus"] == "noise"
    assert "val_wer" not in metadata


def test_integers_are_those_of_the_last(write):
    def count(content):
        epoch = content[DESCRIPTION_KEY]["metadata"]["epoch"]
        content["state_dict"]["model.steps"] = torch.tensor(epoch)

    paths = [write(f"{value}.ckpt", value, count) for value in (1, 4)]
    averaged = average_checkpoints(paths)["state_dict"]
    assert averaged["model.steps"].item() == 4
    assert averaged["model.steps"].dtype == torch.int64


def test_the_mean_of_few_is_exact_in_any_order(write):
    def disturb(content):
        generator = torch.Generator().manual_seed(
            content[DESCRIPTION_KEY]["metadata"]["epoch"]
        )
        for value in content["state_dict"].values():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=generator))

    paths = [write(f"{value}.ckpt", value, disturb) for value in range(1, 6)]
    forth, back = (average_checkpoints(p)["state_dict"] for p in (paths, paths[::-1]))
    for name, value in forth.items():
        torch.testing.assert_close(value, back[name], rtol=1e-7, atol=1e-9)


def test_a_trained_run_is_averaged_without_its_optimizer(call, trained, tmp_path):
    names = ("best.ckpt", "last.ckpt")
    code, _, err = call(
        "average",
        *(trained.folder / name for name in names),
        f"output={tmp_path / 'mean.ckpt'}",
    )
    assert code == 0, err
    content = read_checkpoint(tmp_path / "mean.ckpt")
    assert set(content) == {"state_dict", DESCRIPTION_KEY}
    mean, best, last = (
        load_checkpoint(path).model.head.weight
        for path in (
            tmp_path / "mean.ckpt",
            *(trained.folder / name for name in names),
        )
    )
    torch.testing.assert_close(mean, (best + last) / 2)


def other_encoder(content):
    content[DESCRIPTION_KEY]["model"]["encoder"]["hidden_size"] = 99


def other_tokens(content):
    content[DESCRIPTION_KEY]["tokenizer"]["alphabet"] = " ABCE"


def other_shapes(content):
    content["state_dict"]["model.head.bias"] = torch.zeros(2)


def other_names(content):
    content["state_dict"]["model.foot.bias"] = torch.zeros(2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_encoder, "its model is not that of .*encoder.hidden_size is 99, exp"),
        (other_tokens, "its tokenizer is not .*alphabet is ' ABCE', expected ' ABCD'"),
        (other_shapes, "other names or shapes"),
        (other_names, "other names or shapes"),
    ],
)
def test_models_that_differ_are_refused(write, tmp_path, change, reason):
    paths = [write("a.ckpt", 1), write("b.ckpt", 2, change)]
    output = tmp_path / "mean.ckpt"
    with pytest.raises(InputError, match=f"b.ckpt: .*{reason}"):
        main([*map(str, paths), f"output={output}"])
    assert not output.exists()


def test_nothing_is_written_over(write, tmp_path):
    paths = [str(write(f"{value}.ckpt", value)) for value in (1, 2)]
    before = (tmp_path / "1.ckpt").read_bytes()
    with pytest.raises(InputError, match=r"1.ckpt: exists, expected a new file"):
        main([*paths, f"output={tmp_path / '1.ckpt'}"])
    assert (tmp_path / "1.ckpt").read_bytes() == before


def test_one_checkpoint_is_too_few(write, tmp_path):
    path = write("a.ckpt", 1)
    with pytest.raises(InputError, match="is given twice"):
        main([str(path), str(tmp_path / "." / "a.ckpt"), f"output={tmp_path / 'm'}"])
    with pytest.raises(UsageError, match="1 arguments, expected at least 2"):
        main([str(path), f"output={tmp_path / 'm'}"])
