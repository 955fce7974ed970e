"""Checkpoints that were damaged, or made to take all the memory."""

import collections
import os
import pickle
import resource
import subprocess
import sys
import zipfile
from copy import deepcopy

import pytest
import torch

from speechgru.checkpoint.average import average_checkpoints
from speechgru.checkpoint.digest import DIGEST, digest_checkpoint
from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    read_checkpoint,
    write_checkpoint,
)
from speechgru.interfaces import InputError


@pytest.fixture
def content(checkpoint):
    return read_checkpoint(checkpoint)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "theirs.ckpt"


def refuse(path, message):
    with pytest.raises(InputError, match=message) as caught:
        load_checkpoint(path)
    assert str(caught.value).startswith(f"{path}: ")


def repack(path, change, compression=zipfile.ZIP_STORED):
    """Write a checkpoint's records anew, with right checksums."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, record in records.items():
            archive.writestr(name, change(name, record))


def test_every_flipped_bit_in_the_weights_is_noticed(checkpoint, path):
    whole = checkpoint.read_bytes()
    with zipfile.ZipFile(checkpoint) as archive:
        places = [
            whole.index(archive.read(info)) + info.file_size // 2
            for info in archive.infolist()
            if "/data/" in info.filename and info.file_size > 64
        ]
    assert len(places) > 10
    for bit, place in enumerate(places):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit % 8
        path.write_bytes(damaged)
        refuse(path, r"its record '.*data/\d+' is damaged\); it is truncated or anoth")


def test_the_digest_notices_what_checksums_do_not(checkpoint, path):
    path.write_bytes(checkpoint.read_bytes())

    def flip(name, record):
        return (
            record[:-1] + bytes([record[-1] ^ 1]) if name.endswith("data/5") else record
        )

    repack(path, flip)
    refuse(path, "its weights and description have the digest blake2b:")


@pytest.mark.parametrize("part", ["model", "tokenizer", "metadata", "state_dict"])
def test_the_digest_covers_weights_and_description(content, part):
    weights, description = content["state_dict"], content[DESCRIPTION_KEY]
    digest = digest_checkpoint(weights, description)
    assert digest == description[DIGEST]
    weights, description = dict(weights), deepcopy(description)
    if part == "state_dict":
        weights["model.head.bias"] = weights["model.head.bias"].double()
    else:
        description[part]["more"] = 1
    assert digest_checkpoint(weights, description) != digest


def test_the_digest_does_not_depend_on_the_order_of_names(content):
    weights, description = content["state_dict"], content[DESCRIPTION_KEY]
    other = dict(reversed(weights.items()))
    assert digest_checkpoint(other, description) == description[DIGEST]


def test_weights_in_another_order_of_rows_have_another_digest(content):
    weights, description = content["state_dict"], content[DESCRIPTION_KEY]
    other = {**weights, "model.head.weight": weights["model.head.weight"].flip(0)}
    assert digest_checkpoint(other, description) != description[DIGEST]


def test_an_older_checkpoint_without_a_digest_is_loaded(content, path, call):
    del content[DESCRIPTION_KEY][DIGEST]
    torch.save(content, path)
    load_checkpoint(path)
    assert "digest: none, an older version wrote it" in call("info", path)[1]
    write_checkpoint(content, path)
    assert "digest: blake2b:" in call("info", path)[1]


def test_what_is_written_again_gets_a_digest_of_its_own(content, path, checkpoint):
    write_checkpoint(average_checkpoints([checkpoint, checkpoint]), path)
    assert read_checkpoint(path)[DESCRIPTION_KEY]["metadata"]["averaged"]


@pytest.mark.parametrize("name", ["data.pkl", "data/0", "version"])
def test_a_compressed_record_is_refused(checkpoint, path, name):
    path.write_bytes(checkpoint.read_bytes())
    repack(
        path,
        lambda found, record: bytes(1 << 20) if found.endswith(name) else record,
        zipfile.ZIP_DEFLATED,
    )
    refuse(path, r"is compressed or encrypted, .*could fill the memory")


class Allocates:
    """Unpickling this takes so many bytes."""

    def __reduce__(self):
        return bytearray, (20_000_000_000,)


class Encodes:
    """Unpickling this takes the square of a text's length."""

    def __reduce__(self):
        return __import__("_codecs").encode, ("ü" * 10, "punycode")


def test_a_file_is_looked_at_in_the_format_that_torch_takes_it_for(checkpoint, path):
    whole = checkpoint.read_bytes()
    for hidden in (pickle.dumps(Allocates(), 2), b"some text"):
        path.write_bytes(hidden + whole)
        refuse(path, r"holds \w+\.bytearray|cannot be read as a checkpoint")
    for behind in (b"x", b"PK\5\6" + bytes(18)):
        path.write_bytes(whole + behind)
        refuse(path, "cannot be read as a checkpoint")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "A")
        archive.comment = b"of theirs"
    refuse(path, "it has something behind its records")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("hostile", "name"),
    [
        (Allocates(), "bytearray"),
        (Encodes(), "_codecs.encode"),
        (torch.ones(3).to_sparse(), "torch._utils._rebuild_sparse_tensor"),
        (collections.Counter("a"), "collections.Counter"),
    ],
    ids=["bytearray", "codec", "sparse", "counter"],
)
def test_a_pickle_refers_to_nothing_but_tensors(content, path, hostile, name, legacy):
    content["hook"] = hostile
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    refuse(path, rf"holds \w*\.?{name}, expected nothing but tensors and plain values")


def laugh(depth=12):
    """Lists that hold each other: 10^12 values in a few hundred bytes."""
    value: list = [0]
    for _ in range(depth):
        value = [value] * 10
    return value


def contain_itself():
    value: list = []
    value.append(value)
    return value


@pytest.mark.parametrize("make", [laugh, contain_itself, lambda: ["x" * 10**6] * 10**5])
@pytest.mark.parametrize("place", ["metadata", "model", "beside"])
def test_lists_that_stand_for_billions_are_refused(content, path, make, place):
    target = content if place == "beside" else content[DESCRIPTION_KEY][place]
    target["more"] = make()
    torch.save(content, path)
    refuse(path, r"holds more than 300000 values, or nested more than 30 levels")


def test_a_pickle_of_too_many_empty_lists_is_refused(path):
    torch.save([[] for _ in range(310_000)], path)
    refuse(path, r"600000 instructions")


@pytest.mark.parametrize(
    ("group", "change"),
    [
        ("encoder", {"hidden_size": 30_000}),
        ("encoder", {"hidden_size": 65_536}),
        ("encoder", {"num_layers": 1000}),
        ("encoder", {"hidden_size": 10**9}),
        ("encoder", {"lookahead": 10_000, "bidirectional": False}),
        ("subsampling", {"depth": 100}),
        ("subsampling", {"channels": 65_536}),
        ("features", {"n_mels": 10_000_000}),
        ("features", {"n_fft": 1 << 30}),
        ("features", {"n_fft": 65_536, "n_mels": 65_536}),
    ],
    ids=str,
)
def test_sizes_are_held_against_the_weights(content, path, group, change):
    content[DESCRIPTION_KEY]["model"][group].update(change)
    write_checkpoint(content, path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(path, r"much larger than its weights|does not describe its model")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200_000  # KiB


@pytest.mark.parametrize(
    ("group", "change"),
    [
        ("encoder", {"hidden_size": 1_000_000}),
        ("encoder", {"num_layers": 1_000_000}),
        ("encoder", {"lookahead": 1_000_000, "bidirectional": False}),
        ("subsampling", {"depth": 1_000_000}),
        ("subsampling", {"channels": 1_000_000}),
        ("subsampling", {"kernel_size": 999_999}),
        ("features", {"n_mels": 1_000_000}),
        ("features", {"n_fft": 1_000_000, "n_mels": 1_000_000}),
    ],
    ids=str,
)
def test_sizes_beyond_their_range_are_told(content, path, group, change):
    content[DESCRIPTION_KEY]["model"][group].update(change)
    write_checkpoint(content, path)
    (name, *_) = change
    refuse(path, rf"{group}\.{name} is \d+, expected a whole number from")


def test_a_tensor_that_repeats_one_number_is_refused(content, path):
    content["state_dict"]["model.more"] = torch.zeros(1).expand(10**9)
    torch.save(content, path)
    refuse(path, "weights of 4.* bytes in a file of")


def test_many_names_of_one_tensor_are_refused(content, path):
    one = torch.zeros(10**6)
    content["state_dict"] |= {f"model.more{n}": one for n in range(100)}
    torch.save(content, path)
    refuse(path, r"weights of \d+ bytes in a file of")


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (lambda w: w.fill_(float("nan")), "'model.head.bias' holds numbers that are n"),
        (lambda w: w.fill_(float("inf")), "'model.head.bias' holds numbers that are n"),
        (
            lambda w: w.to(torch.int8),
            r"'head.bias' is torch.int8, expected torch.float",
        ),
        (lambda w: w.bool(), r"'head.bias' is torch.bool, expected torch.float32"),
        (lambda w: w.to(torch.complex64), r"'head.bias' is torch.complex64, expected"),
        (lambda w: w[:-1], "size mismatch for head.bias"),
        (lambda w: w.to("meta"), "is no plain tensor|expected nothing but tensors"),
    ],
    ids=["nan", "inf", "int8", "bool", "complex", "shape", "meta"],
)
def test_weights_of_another_kind_are_refused(content, path, weight, message):
    bias = content["state_dict"]["model.head.bias"]
    content["state_dict"]["model.head.bias"] = weight(bias)
    del content[DESCRIPTION_KEY][DIGEST]
    torch.save(content, path)
    refuse(path, message)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_loaded(content, path, dtype):
    weights = {name: weight.to(dtype) for name, weight in content["state_dict"].items()}
    write_checkpoint({**content, "state_dict": weights}, path)
    assert load_checkpoint(path).model.head.bias.dtype == torch.float32


def places(value, above=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*above, key)
            yield from places(item, (*above, key))


def attempt(use, path):
    """What a use of a file gives, or the message of its InputError."""
    try:
        return use(path)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("value", ["deleted", None, "\x1b[31m", [1, [2]], -1, 10**9])
def test_no_change_of_the_description_is_anything_but_an_input_error(
    content, path, value
):
    whole = content[DESCRIPTION_KEY]
    for place in places({part: whole[part] for part in ("model", "tokenizer")}):
        description = deepcopy(whole)
        target = description
        for key in place[:-1]:
            target = target[key]
        if value == "deleted":
            del target[place[-1]]
        else:
            target[place[-1]] = value
        write_checkpoint({**content, DESCRIPTION_KEY: description}, path)
        loaded = attempt(load_checkpoint, path)
        if not isinstance(loaded, str):  # the default, or what no size depends on
            assert value in ("deleted", None, -1), place
            continue
        for message in (loaded, attempt(lambda p: average_checkpoints([p, p]), path)):
            if isinstance(message, str):
                assert message.startswith(f"{path}: "), place
                assert "\x1b" not in message, place


@pytest.mark.parametrize("part", ["model", "tokenizer", "metadata"])
def test_commands_name_what_a_description_lacks(content, path, call, part):
    del content[DESCRIPTION_KEY][part]
    write_checkpoint(content, path)
    other, text, audio = (path.with_name(name) for name in ("b.ckpt", "a.txt", "a.wav"))
    other.write_bytes(path.read_bytes())
    text.write_text("A B\n")
    audio.touch()
    for arguments in (
        ("average", path, other),
        ("info", path),
        ("transcribe", path, audio),
        ("train", "corpus=manifest", f"init_from={path}", f"runs_dir={path.parent}"),
        ("lm", text, f"checkpoint={path}"),
    ):
        code, _, err = call(*arguments)
        assert code == 1
        assert f"theirs.ckpt: does not describe its model ({part} is None" in err


def test_metadata_never_command_the_terminal(content, path, call):
    content[DESCRIPTION_KEY]["metadata"] |= {
        "corpus": "\x1b[2J\x9b1m",
        "nested": {"a": 1, "b": {"_target_": "os.system"}},
        "\x1b": None,
    }
    write_checkpoint(content, path)
    for options in ((), ("format=json",)):
        code, out, _ = call("info", path, *options)
        assert code == 0
        assert not {"\x1b", "\x9b"} & set(out)


@pytest.mark.slow
def test_loading_hostile_files_takes_less_than_a_gigabyte(tmp_path, checkpoint):
    """In a process of its own, whose memory is limited."""
    torch.save({"a": Allocates()}, tmp_path / "bytearray.ckpt")
    torch.save({"a": laugh()}, tmp_path / "laughs.ckpt")
    with zipfile.ZipFile(tmp_path / "bomb.ckpt", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("archive/data.pkl", "w", force_zip64=True) as record:
            for _ in range(64):
                record.write(bytes(1 << 24))
        archive.writestr("archive/version", "3")
    (tmp_path / "pickle.ckpt").write_bytes(pickle.dumps(Allocates(), 2))
    code = (
        "import resource, sys, torch\n"
        "from speechgru.interfaces import InputError\n"
        "from speechgru.checkpoint.load import load_checkpoint\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30),) * 2)\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        load_checkpoint(path)\n"
        "    except InputError as error:\n"
        "        print(error)\n"
        "assert 'sympy' not in sys.modules, 'the compiler of torch is imported'\n"
    )
    files = sorted(tmp_path.glob("*.ckpt"))
    result = subprocess.run(
        [sys.executable, "-c", code, str(checkpoint), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    lines = result.stdout.splitlines()
    assert len(lines) == len(files) == 4
    for path, line in zip(files, lines, strict=True):
        assert line.startswith(f"{path}: ")
        assert "memory" in line or "cannot be read" in line


@pytest.mark.parametrize("odd", [{5: 1}, {(1, 2): 3}, {"t": {1: 2, "a": 3}}])
def test_a_description_that_is_no_json_is_refused(content, path, odd):
    content[DESCRIPTION_KEY] = {**content[DESCRIPTION_KEY], **odd}
    torch.save(content, path)
    refuse(path, "its description is no JSON")
