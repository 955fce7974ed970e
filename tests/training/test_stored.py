"""Run folders that a stranger may have made: nothing in them runs."""

import os
import sys

import pytest
import yaml
from conftest import TINY
from omegaconf import OmegaConf

from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    read_checkpoint,
    write_checkpoint,
)
from speechgru.cli.config import compose_config, read_options
from speechgru.cli.main import UsageError
from speechgru.cli.resume import go_on as resume
from speechgru.cli.resume import parse_trust
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.training.run_folder import write_options
from speechgru.training.stored import read_last, read_stored


@pytest.fixture
def folder(tones, checkpoint, tmp_path):
    """A run folder, as `train` leaves it."""
    folder = tmp_path / "run"
    folder.mkdir()
    content = read_checkpoint(checkpoint)
    content[DESCRIPTION_KEY]["metadata"] |= {"step": 0, "cpu_seconds": 0.0}
    content |= {"epoch": 0, "global_step": 0, "loops": {}, "callbacks": {}}
    content |= {"optimizer_states": [], "lr_schedulers": []}
    write_checkpoint(content, folder / "last.ckpt")
    composed = compose_config("train", [*TINY, *tones.overrides])
    write_options(folder, read_options(composed, TrainOptions), "theirs")
    return folder


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A module that leaves a trace when it is imported; its name and the trace."""
    ran = tmp_path / "ran"
    (tmp_path / "strangers_module.py").write_text(
        f"from pathlib import Path\nPath({str(ran)!r}).touch()\n"
        "class Theirs:\n"
        "    def __init__(self, name):\n"
        "        raise ValueError('built')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "strangers_module", ran
    sys.modules.pop("strangers_module", None)


def change(folder, **changes):
    """Replace whole groups of config.yaml."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, **changes}))


def test_what_a_run_wrote_is_read_again(folder):
    options, recipe = read_stored(folder, [])
    assert recipe == "theirs"
    assert options.trainer.max_epochs == 100


def test_the_only_archive_of_a_corpus_is_read_as_older_runs_wrote_it(folder):
    archive = {"url": "https://theirs.invalid/a.tar.gz", "sha256": "df9f"}
    target = "speechgru.data.corpora.yesno.YesNo"
    change(folder, corpus={"_target_": target, "filename": "a.tar.gz", **archive})
    options, _ = read_stored(folder, [])
    assert options.corpus.to_plain() == {
        "_target_": target,
        "archives": [{"file": "a.tar.gz", **archive}],
    }


@pytest.mark.parametrize("group", ["corpus", "task"])
def test_what_a_folder_trusts_is_not_trusted(folder, stranger, group):
    name, ran = stranger
    change(folder, trust=[name], **{group: {"_target_": f"{name}.Theirs", "name": "x"}})
    with pytest.raises(InputError, match=rf"lies outside .*pass trust=\[{name}\]"):
        resume([f"resume={folder}"])
    assert not ran.exists()
    assert name not in sys.modules


def test_what_the_command_line_trusts_is_built(folder, stranger):
    name, ran = stranger
    change(folder, corpus={"_target_": f"{name}.Theirs", "name": "x"})
    with pytest.raises(InputError, match="corpus: Theirs: built"):
        resume([f"resume={folder}", f"trust=[{name}]"])
    assert ran.exists()


@pytest.mark.parametrize("target", ["subprocess.Popen", "os.system", "logging.Logger"])
def test_no_other_class_is_built_as_a_corpus(folder, target):
    change(folder, trust=[target.rpartition(".")[0]], corpus={"_target_": target})
    with pytest.raises(InputError, match=f"corpus: _target_ '{target}' lies outside"):
        resume([f"resume={folder}"])


@pytest.mark.parametrize(
    "option", ["profiler", "default_root_dir", "plugins", "callbacks", "logger", "x"]
)
def test_a_trainer_takes_no_options_that_the_command_does_not_offer(folder, option):
    options, _ = read_stored(folder, [])
    trainer = options.trainer.to_plain()
    change(folder, trainer={**trainer, option: "simple"})
    expected = rf"config.yaml: trainer has an unknown option '{option}'"
    with pytest.raises(InputError, match=expected):
        read_stored(folder, [])


@pytest.mark.parametrize(
    "key", ["trainer", "trainer.num_threads", "data.max_dev", "corpus", "seed", "task"]
)
def test_what_is_missing_is_named_when_it_is_needed(folder, key):
    config = OmegaConf.load(folder / "config.yaml")
    group, _, option = key.rpartition(".")
    del (OmegaConf.select(config, group) if group else config)[option]
    OmegaConf.save(config, folder / "config.yaml")
    with pytest.raises(InputError, match=rf"config\.yaml: has no {key}; expected what"):
        resume([f"resume={folder}"])


@pytest.mark.parametrize("content", ["", "# nothing\n", "{}"])
def test_an_empty_configuration_is_an_error(folder, content):
    (folder / "config.yaml").write_text(content)
    with pytest.raises(InputError, match=r"config\.yaml: has no seed"):
        resume([f"resume={folder}"])


@pytest.mark.parametrize("group", ["trainer", "data", "corpus", "augment", "callbacks"])
@pytest.mark.parametrize("value", [None, 3, "text", [1]])
def test_a_group_that_is_no_mapping_is_an_error(folder, group, value):
    change(folder, **{group: value})
    with pytest.raises(InputError, match=rf"config\.yaml: {group} is "):
        read_stored(folder, [])


def test_interpolations_are_refused(folder):
    change(folder, data_dir="${oc.env:HOME}")
    with pytest.raises(InputError, match=r"holds '\$\{oc.env:HOME\}', .* are refused"):
        read_stored(folder, [])


def test_the_best_checkpoint_is_not_the_last(folder, checkpoint):
    assert read_last(folder / "last.ckpt", [])["metadata"]["step"] == 0
    with pytest.raises(InputError, match=r"its epoch is a NoneType.*begin anew"):
        read_last(checkpoint, [])


@pytest.mark.parametrize("key", ["step", "cpu_seconds"])
@pytest.mark.parametrize("value", [None, "1", float("nan")])
def test_a_run_goes_on_from_numbers(folder, key, value):
    content = read_checkpoint(folder / "last.ckpt")
    content[DESCRIPTION_KEY]["metadata"][key] = value
    write_checkpoint(content, folder / "last.ckpt")
    with pytest.raises(InputError, match=f"metadata have no number {key}"):
        read_last(folder / "last.ckpt", [])


def test_a_log_that_leads_elsewhere_is_not_written_to(folder, tmp_path):
    theirs = tmp_path / "bashrc"
    theirs.write_text("# mine\n")
    (folder / "train.log").symlink_to(theirs)
    with pytest.raises(InputError, match=r"train\.log: is a link or no file"):
        resume([f"resume={folder}"])
    assert theirs.read_text() == "# mine\n"
    (folder / "train.log").unlink()
    os.mkfifo(folder / "train.log")
    with pytest.raises(InputError, match=r"train\.log: is a link or no file"):
        resume([f"resume={folder}"])


def test_a_lock_that_leads_elsewhere_is_not_written_to(folder, tmp_path):
    theirs = tmp_path / "bashrc"
    theirs.write_text("# mine\n")
    (folder / ".lock").symlink_to(theirs)
    with pytest.raises(InputError, match=r"\.lock: is a link or no file"):
        resume([f"resume={folder}"])
    assert theirs.read_text() == "# mine\n"


def test_nothing_that_makes_another_run_stands_beside_resume(folder):
    with pytest.raises(UsageError, match="a run goes on as it began"):
        resume([f"resume={folder}", "task.learning_rate=1"])


@pytest.mark.parametrize(
    ("text", "names"), [("[a.b,c]", ["a.b", "c"]), ("a.b", ["a.b"]), ("[]", [])]
)
def test_trust_is_read_as_on_any_command_line(text, names):
    assert parse_trust(text) == names


def test_trust_holds_nothing_but_names():
    with pytest.raises(UsageError, match=r"expected modules: 'trust=\[my\.module\]'"):
        parse_trust("[1]")
