"""Configurations in YAML that would take all the memory, or never end."""

import os

import pytest
import yaml
from omegaconf import OmegaConf

from speechgru import bounded
from speechgru.interfaces import InputError
from speechgru.options.config_file import check_folder, read_config, write_config

BOMB = "a0: &a0 [0,0,0,0,0,0,0,0,0]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


def refuse(path, message):
    with pytest.raises(InputError, match=message) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}: cannot be read (")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, "more than 100000 values"),
        ("a: " + "[" * 60 + "]" * 60, "nested more than 50 levels deep"),
        ("a: " + "[" * 100_000, "nested more than 50 levels deep"),
        ("a: &a [*a]", "is within itself"),
        ("a: 'x" + "y" * (1 << 20) + "'", "larger than 1 MiB"),
        ("a: [0" + ",0" * 100_001 + "]", "more than 100000 values"),
        ("a: [", "expected"),
        ("a: !!python/object/apply:os.system ['true']", "constructor"),
        ("\x00", "special characters|control characters"),
    ],
)
def test_a_file_that_would_be_too_large_is_an_error(tmp_path, content, message):
    path = tmp_path / "config.yaml"
    path.write_text(content)
    refuse(path, message)


def test_aliases_may_repeat_what_is_small(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: &a {x: 1}\nb: [*a, *a]\n")
    assert read_config(path) == {"a": {"x": 1}, "b": [{"x": 1}, {"x": 1}]}


def test_what_is_no_file_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "MOST_WAITING", 0.1)
    path = tmp_path / "config.yaml"
    os.mkfifo(path)
    refuse(path, "a pipe that nobody writes to")
    path.unlink()
    path.symlink_to("/dev/zero")
    refuse(path, "a device, not a file")
    path.unlink()
    path.mkdir()
    refuse(path, "Is a directory")


def test_a_folder_of_choices_is_looked_at_as_a_whole(tmp_path, call):
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "theirs.yaml").write_text(BOMB)
    (tmp_path / "encoder" / "theirs.txt").write_text(BOMB)
    with pytest.raises(InputError, match=r"theirs\.yaml: cannot be read \(more than"):
        check_folder(tmp_path)
    for command in ("train", "doctor"):
        code, _, err = call(command, "--config-dir", tmp_path, "encoder=theirs")
        assert code == 1
        assert "theirs.yaml: cannot be read (more than 100000 values)" in err


def test_what_is_written_is_read_again_by_yaml_of_any_version(tmp_path):
    values = {
        "text": "1e3",
        "date": "2020-01-01",
        "number": 1e-05,
        "whole": 3,
        "switch": True,
        "none": None,
        "list": [0.5, "é"],
        "empty": {},
    }
    path = tmp_path / "config.yaml"
    write_config(path, values)
    assert read_config(path) == values
    assert yaml.safe_load(path.read_text()) | {"date": "2020-01-01"} == values


def test_numbers_and_dates_are_read_as_hydra_reads_them(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: 1e-3\nb: 2020-01-01\nc: 1_000\nd: .5\ne: -.inf\nf: 0x10\n")
    assert read_config(path) == OmegaConf.to_container(OmegaConf.load(path))
    assert read_config(path)["a"] == 0.001


def test_a_key_that_stands_there_twice_is_an_error(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("seed: 1\nseed: 2\n")
    with pytest.raises(InputError, match="the key 'seed' stands there twice"):
        read_config(path)
