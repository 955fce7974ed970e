import sys

import pytest

from speechgru.checkpoint.build import build, find_class
from speechgru.features.log_mel import LogMel
from speechgru.interfaces import InputError
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.frontends.conv1d import Conv1dSubsampling
from speechgru.text.tokenizer import CharacterTokenizer

GRU = {
    "_target_": "speechgru.model.encoders.gru.GRUEncoder",
    "_partial_": True,
    "hidden_size": 3,
    "num_layers": 2,
}
USER_CODE = """
from pathlib import Path
from torch import nn
from torch.nn import Linear
Path({ran!r}).touch()
class Echo(nn.Module):
    def __init__(self, input_size, gain: float = 1.0):
        super().__init__()
        self.output_size, self.gain = input_size, gain
class Louder(Echo):
    def __init__(self, *arguments, times: int = 2, **options):
        super().__init__(*arguments, **options)
        self.gain *= times
class Doubled(Echo):
    def __init__(self, input_size, **options):
        super().__init__(input_size, gain=2.0, **options)
class Plain:
    pass
def function():
    Path({ran!r}).write_text("called")
"""


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    """The name of a user's module, and a file that its import makes."""
    ran = tmp_path / "ran"
    name = "somebodys_encoder"
    (tmp_path / f"{name}.py").write_text(USER_CODE.format(ran=str(ran)))
    monkeypatch.syspath_prepend(tmp_path)
    yield name, ran
    sys.modules.pop(name, None)


def test_a_class_is_built_from_its_arguments_and_the_sizes_that_it_takes():
    encoder = build(GRU, "encoder", input_size=4)
    assert isinstance(encoder, GRUEncoder)
    assert (encoder.layers[0].input_size, encoder.output_size) == (4, 6)
    assert len(encoder.layers) == 2


def test_a_whole_number_will_do_for_a_fraction_and_null_where_it_is_allowed():
    assert build({**GRU, "dropout": 0}, "encoder", input_size=4).dropout == 0
    config = {
        "_target_": "speechgru.features.log_mel.LogMel",
        "sample_rate": 8000,
        "n_fft": 64,
        "hop_length": 32,
        "n_mels": 5,
        "win_length": None,
        "f_min": 50,
    }
    assert build(config, "features").mel.win_length == 64


def test_a_class_that_hands_options_on_to_its_base_takes_those_too(user_module):
    module, _ = user_module
    config = {"_target_": f"{module}.Louder", "_partial_": True, "times": 3}

    def make(**options):
        return build({**config, **options}, "encoder", [module], input_size=4)

    assert (make().gain, make(gain=2).gain) == (3, 6)
    assert make().output_size == 4
    with pytest.raises(
        InputError, match="option 'gian'; Louder takes: gain, times; did"
    ):
        make(gian=2)
    with pytest.raises(InputError, match=r"encoder.gain is 'loud', expected float"):
        make(gain="loud")
    with pytest.raises(InputError, match=r"encoder.times is 1.5, expected int"):
        make(times=1.5)


def test_what_a_class_gives_its_base_itself_is_not_missed(user_module):
    module, _ = user_module
    config = {"_target_": f"{module}.Doubled", "_partial_": True}
    assert build(config, "encoder", [module], input_size=4).gain == 2


def test_sizes_go_only_to_a_class_that_wants_them():
    config = {
        "_target_": "speechgru.text.tokenizer.CharacterTokenizer",
        "alphabet": "AB",
    }
    tokenizer = build(config, "text", input_size=4)
    assert isinstance(tokenizer, CharacterTokenizer)
    assert tokenizer.tokens == ("<blank>", "A", "B")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        # Functions and classes of others, by their own names.
        ("os.system", "lies outside speechgru.text, speechgru.features"),
        ("subprocess.Popen", "lies outside"),
        ("builtins.eval", "lies outside"),
        ("torch.load", "lies outside"),
        ("torch.hub.load", "lies outside"),
        ("torch.nn.Linear", "lies outside"),
        ("speechgru.audio.torch.load", "lies outside"),
        ("speechgru.training.ctc.CTCTask", "lies outside"),
        ("speechgru.modelling.Encoder", "lies outside"),
        # Through a module of ours that has imported them.
        ("speechgru.checkpoint.load.torch.load", "lies outside"),
        ("speechgru.checkpoint.build.importlib.import_module", "lies outside"),
        ("speechgru.model.encoders.gru.nn.GRU", "no module"),
        ("speechgru.model.nothing.GRUEncoder", "no module"),
        (
            "speechgru.model.encoders.gru.torch",
            "not a model or tokenizer class",
        ),
        ("speechgru.model.encoders.gru.F", "not a model or tokenizer class"),
        ("speechgru.checkpoint.build.importlib", "lies outside"),
        ("speechgru.features.log_mel.MelSpectrogram", "not a model or tokenizer class"),
        ("speechgru.model.acoustic.GlobalNorm", "not a model or tokenizer class"),
        ("speechgru.features.log_mel", "not a model or tokenizer class"),
        # Ours, but not to be built.
        ("speechgru.checkpoint.load.load_checkpoint", "lies outside"),
        (
            "speechgru.checkpoint.storage.write_checkpoint",
            "lies outside",
        ),
        (
            "speechgru.checkpoint.load.LoadedCheckpoint",
            "lies outside",
        ),
        ("speechgru.model.frontends.conv1d.STRIDES", "not a model or tokenizer class"),
        ("speechgru.model.encoders.gru.__class__", "not a model or tokenizer class"),
        ("speechgru.model.encoders.gru.Missing", "not a model or tokenizer class"),
        # Not names.
        ("GRUEncoder", "expected <module>.<Class>"),
        (".gru.GRUEncoder", "expected <module>.<Class>"),
        ("speechgru..gru.GRUEncoder", "expected <module>.<Class>"),
        ("speechgru.model.encoders.gru.GRUEncoder()", "expected <module>.<Class>"),
        ("speechgru.model.encoders.gru.GRUEncoder\n", "expected <module>.<Class>"),
        ("speechgru.model.encoders.gru:GRUEncoder", "expected <module>.<Class>"),
        ("speechgru/model/gru.GRUEncoder", "expected <module>.<Class>"),
        ("", "expected <module>.<Class>"),
        (None, "_target_ is None, expected"),
        (3, "_target_ is 3, expected"),
        (["speechgru.model.encoders.gru.GRUEncoder"], "expected <module>.<Class>"),
        ({"_target_": "os.system"}, "expected <module>.<Class>"),
        (GRUEncoder, "expected <module>.<Class>"),
    ],
)
def test_nothing_but_a_class_of_the_model_is_found(target, message, tmp_path):
    ran = tmp_path / "ran"
    config = {"_target_": target, "command": f"touch {ran}", "path": str(ran)}
    with pytest.raises(InputError, match=message) as caught:
        build(config, "encoder", input_size=4)
    assert str(caught.value).startswith("encoder: _target_")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": {"_target_": "os.system"}}, "encoder.hidden_size: key '_targ"),
        ({"hidden_size": [{"a": {"_target_": "x.Y"}}]}, r"hidden_size\[0\].a: key"),
        ({"hidden_size": {"_partial_": True}}, "key '_partial_' is not allowed"),
        ({"_args_": [3, 2]}, "key '_args_' is not allowed; of underscore keys only"),
        ({"_recursive_": True}, "key '_recursive_' is not allowed"),
        ({"_convert_": "all"}, "key '_convert_' is not allowed"),
        ({"__class__": "x"}, "key '__class__' is not allowed"),
        ({"hidden_size": "${oc.env:HOME}"}, "'.{oc.env:HOME}'; interpolations are ref"),
        ({"${oc.env:HOME}": 1}, "key of encoder is .* interpolations are refused"),
        ({"dropout": {"${oc.env:HOME}": 1}}, "key of encoder.dropout is .* refused"),
        ({"dropout": ["a ${b}"]}, r"encoder.dropout\[0\] is 'a .{b}'; interpolations"),
        ({"hidden_size": len}, "is a builtin_function_or_method, expected a plain"),
        ({"hidden_size": b"3"}, "is a bytes, expected a plain value"),
        ({"dropout": {3: 4}}, "encoder.dropout: key 3 is not allowed"),
        ({"hiden_size": 3}, "unknown option 'hiden_size'; GRUEncoder takes: hidden_s"),
        ({"self": 3}, "unknown option 'self'"),
        ({"num_layers": 0}, r"encoder\.num_layers is 0, expected a whole number"),
        ({"num_layers": True}, r"encoder\.num_layers is True, expected int"),
        ({"hidden_size": 3.0}, r"encoder\.hidden_size is 3.0, expected int"),
        ({"dropout": None}, r"encoder\.dropout is None, expected float"),
        ({"hidden_size": "many"}, r"encoder\.hidden_size is 'many', expected int"),
    ],
)
def test_values_are_plain_and_options_known(change, message):
    with pytest.raises(InputError, match=message):
        build({**GRU, **change}, "encoder", input_size=4)


def test_a_missing_option_is_named():
    config = {key: value for key, value in GRU.items() if key != "hidden_size"}
    with pytest.raises(InputError, match=r"needs hidden_size; set encoder\.hidden_siz"):
        build(config, "encoder", input_size=4)


def test_a_size_of_the_callers_is_not_offered_as_an_option():
    with pytest.raises(InputError) as caught:
        build({**GRU, "size": 3}, "encoder", input_size=4)
    assert "input_size" not in str(caught.value)


def test_a_users_module_is_not_even_imported_without_trust(user_module):
    name, ran = user_module
    with pytest.raises(InputError, match=rf"pass trust=\[{name}\]"):
        build({"_target_": f"{name}.Echo", "_partial_": True}, "encoder", input_size=4)
    assert name not in sys.modules
    assert not ran.exists()


def test_a_users_module_is_built_with_trust(user_module):
    name, ran = user_module
    config = {"_target_": f"{name}.Echo", "_partial_": True, "gain": 2.0}
    encoder = build(config, "encoder", trust=[name], input_size=4)
    assert (type(encoder).__name__, encoder.output_size, encoder.gain) == ("Echo", 4, 2)
    assert ran.exists()


def test_a_users_annotations_may_exist_for_type_checkers_only(tmp_path, monkeypatch):
    (tmp_path / "annotated_encoder.py").write_text(
        "from __future__ import annotations\n"
        "from torch import nn\n"
        "class Echo(nn.Module):\n"
        "    def __init__(self, gain: float, hook: Unknown | None = None):\n"
        "        super().__init__()\n"
        "        self.gain = gain\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = {"_target_": "annotated_encoder.Echo", "gain": 2.0}
    try:
        assert build(config, "encoder", trust=["annotated_encoder"]).gain == 2
    finally:
        sys.modules.pop("annotated_encoder", None)


@pytest.mark.parametrize("attribute", ["function", "Plain", "Linear", "Path", "nn"])
def test_trust_reaches_only_the_model_classes_defined_in_a_module(
    user_module, attribute
):
    name, ran = user_module
    with pytest.raises(InputError, match="is not a model or tokenizer class defined"):
        build({"_target_": f"{name}.{attribute}"}, "encoder", trust=[name])
    assert ran.read_text() == ""


@pytest.mark.parametrize("trust", [["somebodys"], ["encoder"], "somebodys_encoder_2"])
def test_parts_of_a_name_are_not_trusted(user_module, trust):
    name, ran = user_module
    with pytest.raises(InputError, match="lies outside"):
        find_class(f"{name}.Echo", "encoder", trust)
    assert not ran.exists()


def test_a_single_name_may_be_trusted_as_text(user_module):
    name, _ = user_module
    assert find_class(f"{name}.Echo", "encoder", trust=name).__name__ == "Echo"


def test_other_rooms_hold_other_classes():
    target = "speechgru.data.augment.speed.SpeedPerturbation"
    rooms = ("speechgru.data.augment",)
    assert find_class(target, "augment", rooms=rooms).__name__ == "SpeedPerturbation"
    with pytest.raises(InputError, match="lies outside"):
        find_class("speechgru.model.encoders.gru.GRUEncoder", "augment", rooms=rooms)
    for name in ("resample", "random", "Tensor"):
        with pytest.raises(InputError, match="is not a class defined in"):
            find_class(f"speechgru.data.augment.speed.{name}", "augment", rooms=rooms)


@pytest.mark.parametrize(
    ("config", "cls"),
    [
        (
            {
                "_target_": "speechgru.features.log_mel.LogMel",
                "sample_rate": 8000,
                "n_fft": 64,
                "hop_length": 32,
                "n_mels": 5,
            },
            LogMel,
        ),
        (
            {
                "_target_": "speechgru.model.frontends.conv1d.Conv1dSubsampling",
                "_partial_": True,
                "factor": 2,
                "channels": 3,
                "kernel_size": 3,
            },
            Conv1dSubsampling,
        ),
    ],
)
def test_our_own_classes_are_found_by_their_own_names(config, cls):
    assert type(build(config, "part", input_size=4)) is cls
