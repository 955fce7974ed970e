import os
import pickle
import resource
import stat
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn

from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.models import build_model
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    MODEL_PREFIX,
    describe,
    read_checkpoint,
    write_checkpoint,
)
from speechgru.interfaces import InputError
from speechgru.text.tokenizer import CharacterTokenizer

MODEL = {
    "features": {
        "_target_": "speechgru.features.log_mel.LogMel",
        "sample_rate": 8000,
        "n_fft": 64,
        "hop_length": 32,
        "n_mels": 5,
    },
    "normalize": {
        "_target_": "speechgru.features.normalize.GlobalNorm",
        "_partial_": True,
    },
    "spec_augment": {
        "_target_": "speechgru.features.spec_augment.SpecAugment",
        "num_freq_masks": 1,
        "max_freq_width": 2,
        "num_time_masks": 1,
        "max_time_width": 5,
    },
    "subsampling": {
        "_target_": "speechgru.model.frontends.conv1d.Conv1dSubsampling",
        "_partial_": True,
        "factor": 2,
        "channels": 4,
        "kernel_size": 3,
    },
    "encoder": {
        "_target_": "speechgru.model.encoders.gru.GRUEncoder",
        "_partial_": True,
        "hidden_size": 3,
        "num_layers": 2,
        "dropout": 0.1,
    },
}
TOKENIZER = CharacterTokenizer(" ABÉ")
METADATA = {
    "corpus": "an4",
    "seed": 1,
    "val_wer": 0.25,
    "recipe": None,
    "sizes": [1, 2],
}


def make_model():
    torch.manual_seed(0)
    model = build_model(MODEL, len(TOKENIZER.tokens))
    model.normalize.mean.fill_(-9.0)
    return model.eval()


def make_checkpoint() -> dict:
    weights = {
        MODEL_PREFIX + name: value for name, value in make_model().state_dict().items()
    }
    return {
        "state_dict": weights,
        **deepcopy(describe(MODEL, TOKENIZER.config(), METADATA)),
        "optimizer_states": [{"lr": 0.1}],
    }


@pytest.fixture
def checkpoint() -> dict:
    return make_checkpoint()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "run" / "model.ckpt"


@pytest.fixture
def ran(tmp_path) -> Path:
    """A file that exists once hostile code has run."""
    return tmp_path / "ran"


class RunsCode:
    """Unpickling this runs a shell command."""

    def __init__(self, ran: Path) -> None:
        self.command = f"touch '{ran}'"

    def __reduce__(self):
        return os.system, (self.command,)


def refuse(path: Path, message: str, trust=()) -> str:
    """Assert that a file is refused by name; give the whole message."""
    with pytest.raises(InputError, match=message) as caught:
        load_checkpoint(path, trust)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def test_what_is_written_is_loaded_again(checkpoint, path):
    write_checkpoint(checkpoint, path)
    loaded = load_checkpoint(path)
    waveforms, lengths = torch.randn(2, 900) / 10, torch.tensor([900, 400])
    expected, expected_lengths = make_model()(waveforms, lengths)
    log_probs, output_lengths = loaded.model(waveforms, lengths)
    assert torch.equal(log_probs, expected)
    assert torch.equal(output_lengths, expected_lengths)
    assert not loaded.model.training
    assert loaded.metadata == METADATA
    assert loaded.model_config == MODEL
    assert loaded.tokenizer.config() == TOKENIZER.config()
    assert loaded.tokenizer.encode("É A") == [4, 1, 2]


def test_a_slim_checkpoint_holds_the_same_model_and_no_optimiser(checkpoint, path):
    slim = {key: checkpoint[key] for key in ("state_dict", DESCRIPTION_KEY)}
    write_checkpoint(slim, path)
    assert set(read_checkpoint(path)) == {"state_dict", DESCRIPTION_KEY}
    assert load_checkpoint(path).metadata == METADATA


def test_a_model_without_masks_is_built(checkpoint, path):
    checkpoint[DESCRIPTION_KEY]["model"]["spec_augment"] = None
    write_checkpoint(checkpoint, path)
    assert load_checkpoint(path).model.spec_augment is None


def test_others_may_read_what_is_written(checkpoint, path):
    before = os.umask(0o022)
    try:
        write_checkpoint(checkpoint, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failed_write_keeps_the_older_file_and_leaves_no_other(checkpoint, path):
    write_checkpoint({**checkpoint, "epoch": 1}, path)
    older = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores SIGXFSZ, so a write beyond the limit is an OSError.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(older) // 2, before[1]))
    try:
        with pytest.raises(InputError, match="cannot be written") as caught:
            write_checkpoint({**checkpoint, "epoch": 2}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "(File too large); the older file is kept" in str(caught.value)
    assert path.read_bytes() == older
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_first_write_does_not_speak_of_an_older_one(checkpoint, path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(InputError, match="cannot be written") as caught:
            write_checkpoint(checkpoint, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "kept" not in str(caught.value)
    assert not list(path.parent.iterdir())


def test_a_folder_that_is_a_file_is_an_input_error(checkpoint, tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match=r"run/a.ckpt: cannot be written"):
        write_checkpoint(checkpoint, tmp_path / "run" / "a.ckpt")
    assert (tmp_path / "run").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("legacy", [False, True])
def test_a_truncated_file_is_refused_wherever_it_was_cut(checkpoint, path, legacy):
    path.parent.mkdir()
    torch.save(checkpoint, path, _use_new_zipfile_serialization=not legacy)
    content = path.read_bytes()
    load_checkpoint(path)  # a whole file of either format is good
    cuts = [1, 2, 3, 10, 100, 1000, *range(50, len(content), 331), len(content) - 1]
    for cut in cuts:
        path.write_bytes(content[:cut])
        assert "truncated or another kind of file: copy it again" in refuse(
            path, "read"
        )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"hello, this is no checkpoint\n",
        b"# a pickle that stops at once.\n",
        b"(dp0\n.",
        b"\x80",
        b"\x80\x02.",
        b"PK\x03\x04 no zip file",
        b"RIFF$\x00\x00\x00WAVEfmt ",
        bytes(range(256)) * 20,
    ],
)
def test_other_kinds_of_files_are_refused(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    refuse(path, "cannot be read as a checkpoint|is not a speechgru checkpoint")


def test_a_missing_file_or_a_folder_is_refused(tmp_path):
    refuse(tmp_path / "none.ckpt", "no such checkpoint file; check the path")
    refuse(tmp_path, "holds no best.ckpt and no last.ckpt, expected one of them")


def test_a_folder_is_its_best_checkpoint_or_else_its_last(checkpoint, tmp_path):
    write_checkpoint(checkpoint, tmp_path / "last.ckpt")
    assert load_checkpoint(tmp_path).metadata["seed"] == 1
    (tmp_path / "best.ckpt").touch()
    with pytest.raises(InputError, match=f"^{tmp_path}/best.ckpt: "):
        load_checkpoint(tmp_path)
    (tmp_path / "best.ckpt").unlink()
    (tmp_path / "last.ckpt").unlink()
    (tmp_path / "config.yaml").touch()
    refuse(tmp_path, f"speechgru train resume={tmp_path}")


@pytest.mark.parametrize("schema", [2, 99, 0, "1", None, 1.0, True])
def test_another_schema_is_refused(checkpoint, path, schema):
    checkpoint[DESCRIPTION_KEY]["schema"] = schema
    write_checkpoint(checkpoint, path)
    refuse(path, f"checkpoint schema is {schema!r}, expected 1; install the version")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("where", ["beside", "metadata", "weights", "whole"])
def test_a_pickle_that_would_run_code_is_refused_and_runs_none(
    checkpoint, path, ran, legacy, where
):
    payload = RunsCode(ran)
    if where == "beside":
        checkpoint["callbacks"] = payload
    elif where == "metadata":
        checkpoint[DESCRIPTION_KEY]["metadata"]["corpus"] = payload
    elif where == "weights":
        checkpoint["state_dict"]["model.head.bias"] = payload
    else:
        checkpoint = payload
    path.parent.mkdir()
    torch.save(checkpoint, path, _use_new_zipfile_serialization=not legacy)
    message = refuse(path, "holds posix.system, expected nothing but tensors")
    assert message.endswith("refused, since loading it could run code")
    assert not ran.exists()
    torch.load(path, weights_only=False)
    assert ran.exists(), "the payload was harmless, and this test with it"


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_bare_pickle_is_refused_and_runs_nothing(path, ran, protocol):
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(RunsCode(ran), protocol))
    message = refuse(path, "holds posix.system|cannot be read as a checkpoint")
    assert "weights_only" not in message  # no advice to load it all the same
    assert not ran.exists()
    pickle.loads(path.read_bytes())
    assert ran.exists(), "the payload was harmless, and this test with it"


def test_a_whole_module_is_refused(path):
    path.parent.mkdir()
    torch.save(nn.Linear(2, 2), path)
    refuse(path, r"holds torch\.nn\.modules\.linear\.Linear, expected nothing but")


@pytest.mark.parametrize(
    "foreign",
    [
        {"state_dict": {"model.weight": torch.ones(2)}, "epoch": 3, "loops": {}},
        {"speechgru": {"schema": 1}},
        {"speechgru": "1.0", "state_dict": {}},
        {"weight": torch.ones(2)},
        [1, 2, 3],
        torch.ones(3),
        None,
    ],
)
def test_a_foreign_checkpoint_is_refused(path, foreign):
    path.parent.mkdir()
    torch.save(foreign, path)
    refuse(path, "is not a speechgru checkpoint; expected one that `speechgru train`")


HOSTILE_TARGETS = [
    "os.system",
    "torch.hub.load",
    "torch.load",
    "torch.nn.Linear",
    "speechgru.audio.torch.load",
    "speechgru.checkpoint.load.torch.load",
    "speechgru.checkpoint.load.load_checkpoint",
    "speechgru.model.encoders.gru.nn.GRU",
    "speechgru.model.encoders.gru.torch",
    "speechgru.features.log_mel.MelSpectrogram",
    ".gru.GRUEncoder",
    "GRUEncoder",
    3,
    None,
    ["os.system"],
    {"_target_": "os.system"},
]


@pytest.mark.parametrize("target", HOSTILE_TARGETS, ids=repr)
@pytest.mark.parametrize("part", [*MODEL, "tokenizer"])
def test_a_hostile_target_is_refused_in_every_part_and_runs_nothing(
    checkpoint, path, ran, part, target
):
    hostile = {"_target_": target, "command": f"touch '{ran}'"}
    description = checkpoint[DESCRIPTION_KEY]
    if part == "tokenizer":
        description["tokenizer"] = hostile
    else:
        description["model"][part] = hostile
    write_checkpoint(checkpoint, path)
    refuse(
        path,
        f"{part}: _target_ .*(lies outside|no module|is not a model or tokenizer "
        r"class|expected <module>\.<Class>)",
    )
    assert not ran.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dropout": {"_target_": "os.system"}}, "encoder.dropout: key '_target_'"),
        ({"dropout": [{"_target_": "os.system"}]}, r"encoder.dropout\[0\]: key '_tar"),
        ({"_args_": ["touch ran"]}, "encoder: key '_args_' is not allowed"),
        ({"_recursive_": True}, "encoder: key '_recursive_' is not allowed"),
        ({"_convert_": "all"}, "encoder: key '_convert_' is not allowed"),
        ({"hidden_size": "${oc.env:HOME}"}, "encoder.hidden_size is .* are refused"),
        ({"${oc.env:HOME}": 3}, "key of encoder is .* interpolations are refused"),
        ({"units": 3}, "encoder: unknown option 'units'"),
        ({"num_layers": torch.ones(1)}, "encoder.num_layers is a Tensor, expected"),
    ],
)
def test_hostile_arguments_are_refused(checkpoint, path, change, message):
    checkpoint[DESCRIPTION_KEY]["model"]["encoder"].update(change)
    write_checkpoint(checkpoint, path)
    refuse(path, message)


def test_a_part_that_no_model_has_is_refused(checkpoint, path, ran):
    checkpoint[DESCRIPTION_KEY]["model"]["hook"] = {
        "_target_": "os.system",
        "command": f"touch '{ran}'",
    }
    write_checkpoint(checkpoint, path)
    refuse(path, "the model has an unknown part 'hook', expected: features, normalize")
    assert not ran.exists()


def test_what_else_stands_in_the_description_is_never_built(checkpoint, path, ran):
    hostile = {"_target_": "os.system", "command": f"touch '{ran}'"}
    checkpoint[DESCRIPTION_KEY]["hook"] = hostile
    checkpoint[DESCRIPTION_KEY]["metadata"]["hook"] = hostile
    checkpoint["hyper_parameters"] = hostile
    write_checkpoint(checkpoint, path)
    assert load_checkpoint(path).metadata["hook"] == hostile
    assert not ran.exists()


@pytest.mark.parametrize("part", ["model", "tokenizer", "metadata"])
@pytest.mark.parametrize("value", ["missing", None, 3, "text", [1]])
def test_a_description_that_lacks_a_part_is_refused(checkpoint, path, part, value):
    if value == "missing":
        del checkpoint[DESCRIPTION_KEY][part]
    else:
        checkpoint[DESCRIPTION_KEY][part] = value
    write_checkpoint(checkpoint, path)
    refuse(path, "does not describe its model|unknown part")


@pytest.mark.parametrize("part", MODEL)
@pytest.mark.parametrize("value", ["missing", {}, 3, "text"])
def test_a_model_that_lacks_a_part_is_refused(checkpoint, path, part, value):
    if value == "missing":
        del checkpoint[DESCRIPTION_KEY]["model"][part]
    else:
        checkpoint[DESCRIPTION_KEY]["model"][part] = value
    write_checkpoint(checkpoint, path)
    refuse(path, f"does not describe its model .*|{part}: _target_ is None")


def test_parts_in_each_others_place_are_refused(checkpoint, path):
    model = checkpoint[DESCRIPTION_KEY]["model"]
    model["features"] = model["encoder"]
    write_checkpoint(checkpoint, path)
    refuse(path, "features: GRUEncoder needs input_size|unknown option")
    model.update(deepcopy(MODEL), encoder=TOKENIZER.config())
    write_checkpoint(checkpoint, path)
    refuse(path, "does not describe its model")


def test_weights_of_another_shape_are_refused_by_name(checkpoint, path):
    checkpoint["state_dict"]["model.head.bias"] = torch.zeros(9)
    write_checkpoint(checkpoint, path)
    refuse(path, r"size mismatch for head\.bias: .*\[9\].*\[5\].*; it was altered")


def test_missing_and_foreign_weights_are_refused_by_name(checkpoint, path):
    del checkpoint["state_dict"]["model.head.bias"]
    write_checkpoint(checkpoint, path)
    refuse(path, r'Missing key.*"head\.bias"')
    checkpoint["state_dict"]["model.head.bias"] = torch.zeros(5)
    checkpoint["state_dict"]["model.head.gain"] = torch.zeros(5)
    write_checkpoint(checkpoint, path)
    refuse(path, r'Unexpected key.*"head\.gain"')


@pytest.mark.parametrize("weights", [None, 3, [1], {}, {3: torch.ones(1)}])
def test_weights_that_are_none_are_refused(checkpoint, path, weights):
    checkpoint["state_dict"] = weights
    write_checkpoint(checkpoint, path)
    refuse(path, "does not describe its model")


def test_a_weight_that_is_no_tensor_is_refused(checkpoint, path):
    checkpoint["state_dict"]["model.head.bias"] = "zeros"
    write_checkpoint(checkpoint, path)
    refuse(path, "head.bias")


def test_a_users_module_is_refused_without_trust_and_built_with_it(
    checkpoint, path, ran, tmp_path, monkeypatch
):
    name = "my_norms"
    (tmp_path / f"{name}.py").write_text(
        "from pathlib import Path\n"
        "from torch import nn\n"
        f"Path({str(ran)!r}).touch()\n"
        "class Halve(nn.Module):\n"
        "    def forward(self, features, lengths):\n"
        "        return features / 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    checkpoint[DESCRIPTION_KEY]["model"]["normalize"] = {"_target_": f"{name}.Halve"}
    for buffer in ("mean", "std"):
        del checkpoint["state_dict"][f"model.normalize.{buffer}"]
    write_checkpoint(checkpoint, path)
    message = refuse(path, "lies outside")
    assert f"pass trust=[{name}]" in message
    assert not ran.exists()
    try:
        loaded = load_checkpoint(path, trust=[name])
        log_probs, _ = loaded.model(torch.randn(1, 400), torch.tensor([400]))
        assert type(loaded.model.normalize).__name__ == "Halve"
        assert log_probs.isfinite().all()
        assert ran.exists()
    finally:
        sys.modules.pop(name, None)
