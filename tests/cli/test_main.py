"""What the command line says, and with which exit code."""

import getpass
import json
import os
import subprocess
import sys

import pytest
import yaml
from conftest import TINY_MODEL

from speechgru import __version__
from speechgru.cli.config import read_command_line
from speechgru.cli.main import COMMANDS, UsageError, main
from speechgru.interfaces import InputError
from speechgru.options import Component, TranscribeOptions, choices
from speechgru.options.choices import CONF_DIR
from speechgru.transcribe.inputs import expand


def test_the_program_explains_itself(call):
    code, out, _ = call()
    assert code == 0
    assert all(f"  {command} " in out for command in COMMANDS)
    assert call("--version")[1] == f"speechgru {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_lists_its_options(call, command):
    code, out, _ = call(command, "--help")
    assert code == 0
    assert out.startswith(f"usage: speechgru {command}")
    options = yaml.safe_load((CONF_DIR / f"{command}.yaml").read_text())
    names = {f"{name}:" for name in options if name not in ("defaults", "hydra")}
    assert names
    assert names <= set(out.split())


def test_what_the_output_cannot_show_is_escaped(call, monkeypatch):
    monkeypatch.setattr("speechgru.cli.info.main", lambda _: print("a\udcff"))
    assert call("info")[1] == "a\\udcff\n"


def test_control_characters_are_shown_and_not_obeyed(call, monkeypatch):
    def end(arguments):
        print("\x1b[2Ja\tb\r\x7f\x9b é")
        raise InputError("\x1b]0;owned\x07.wav: no such file")

    monkeypatch.setattr("speechgru.cli.info.main", end)
    code, out, err = call("info")
    assert (code, out) == (1, "\\u001b[2Ja\tb\\u000d\\u007f\\u009b é\n")
    assert err == "speechgru info: \\u001b]0;owned\\u0007.wav: no such file\n"


def test_help_lists_the_choices_there_are(call):
    _, out, _ = call("train", "--help")
    assert " | ".join(choices("corpus")) in out
    assert "an4/bigru" in out
    assert "hydra:" not in out


def test_help_lists_the_options_of_a_choice(call):
    _, out, _ = call("evaluate", "decoder=prefix_beam", "--help")
    assert "options of decoder=prefix_beam" in out
    assert "hotword_score: 5.0" in out
    _, out, _ = call("train", "--help", "encoder=ligru")
    assert "options of encoder=ligru" in out


def test_help_lists_the_options_that_a_choice_shares_with_others(call):
    _, out, _ = call("train", "encoder=gru", "--help")
    assert "  hidden_size: 512     # units per direction\n" in out
    assert "  weight_dropout: 0.0  # of the recurrent weights" in out
    _, out, _ = call("train", "encoder=mingru", "--help")
    assert "  hidden_size: 512 " in out
    assert "weight_dropout" not in out.partition("options of encoder=")[2]
    # What a choice sets anew takes the place of what it is based on.
    _, out, _ = call("train", "trainer=ddp", "--help")
    described = out.partition("options of trainer=")[2]
    assert "  devices: -1 " in described
    assert described.count("  devices:") == 1
    assert "  max_epochs: 100" in described


def test_help_lists_the_options_of_each_choice_in_a_list(call):
    _, one, _ = call("train", "augment=[speed]", "--help")
    assert (
        "options of augment=speed, as augment.speed.OPTION=VALUE:\n  factors: " in one
    )
    assert "augment=silence" not in one.partition("options of")[2]
    for typed in ("augment=[speed,silence]", "augment=[speed, silence]"):
        _, out, _ = call("train", typed, "--help")
        assert "as augment.speed.OPTION=VALUE:\n  factors: " in out
        assert "as augment.silence.OPTION=VALUE:\n  probability: " in out
    # As of a sweep.
    _, out, _ = call("train", "encoder=gru,lstm", "--help")
    assert "options of encoder=gru, as" in out
    assert "options of encoder=lstm, as" in out


def test_help_says_of_a_choice_without_options_that_it_has_none(call):
    for typed in ("augment=[none]", "spec_augment=none", "word_map=none"):
        _, out, _ = call("train", typed, "--help")
        name = typed.replace("[", "").replace("]", "")
        assert f"\n{name} has no options.\n" in out
    assert "\nrecipe=null has no options.\n" in call("train", "recipe=null", "-h")[1]


def test_help_shows_what_a_recipe_chooses(call):
    _, out, _ = call("train", "recipe=an4/bigru", "--help")
    shown = out.partition("what recipe=an4/bigru chooses and sets:")[2]
    assert "- override /normalize: active\n" in shown
    assert "  encoder:\n    hidden_size: 192\n" in shown


def test_help_names_the_nearest_choice(call):
    code, _, err = call("train", "augment=[sped]", "--help")
    assert code == 2
    assert "augment=sped: expected one of: gain, join" in err
    assert "did you mean speed?" in err


def test_help_lists_own_choices_first(call, tmp_path, monkeypatch):
    (tmp_path / "conf/encoder").mkdir(parents=True)
    wide = "defaults: [gru, _self_]\nhidden_size: 1024  # wide\n"
    (tmp_path / "conf/encoder/wide.yaml").write_text(wide)
    monkeypatch.chdir(tmp_path)
    assert "encoder=gru             gru |" in call("train", "--help")[1]
    (tmp_path / "speechgru.yaml").write_text("")  # now it is a project
    for folder in ([], ["--config-dir", str(tmp_path / "conf")]):
        _, out, _ = call("train", *folder, "encoder=wide", "--help")
        assert "encoder=gru             wide | gru | ligru" in out
        described = out.partition("options of encoder=wide")[2]
        assert "  hidden_size: 1024  # wide\n" in described
        assert "  num_layers: 5\n" in described
        (tmp_path / "speechgru.yaml").unlink(missing_ok=True)


@pytest.mark.parametrize("choice", ["_recurrent", "../decoder/greedy"])
def test_what_is_no_choice_is_not_explained(call, choice):
    code, _, err = call("train", f"encoder={choice}", "--help")
    assert code == 2
    assert f"encoder={choice}: expected one of: gru" in err


def test_what_choices_are_based_on_is_no_choice(call):
    assert "_recurrent" not in call("train", "--help")[1]
    code, _, err = call("train", "corpus=yesno", "encoder=grus")
    assert code == 2
    assert "\tgru\n" in err
    assert "did you mean gru?" in err
    assert "_recurrent" not in err


def test_options_that_choices_share_are_known(call):
    code, _, err = call("train", "corpus=yesno", "encoder.hiden_size=3")
    assert code == 2
    assert "did you mean encoder.hidden_size?" in err


def test_an_option_of_another_choice_names_that_choice(call):
    code, _, err = call("transcribe", "a.ckpt", "a.wav", "decoder.hotwords=[A]")
    assert code == 2
    assert "decoder.hotwords is no option here; decoder=prefix_beam has it" in err
    code, _, err = call("transcribe", "a.ckpt", "a.wav", "decoder.num_best=3")
    assert "; decoder=flashlight and decoder=prefix_beam have it" in err


def test_text_beyond_a_to_z_needs_no_quotes():
    arguments = ["a.ckpt", "b.wav", "decoder=prefix_beam", "decoder.hotwords=[é2,a b]"]
    options = read_command_line(TranscribeOptions, arguments, "", (2, 2)).options
    assert options.decoder.options["hotwords"] == ["é2", "a b"]


def test_a_folder_of_configurations_may_have_any_name(tmp_path):
    folder = tmp_path / "a (1) é,b=c"
    (folder / "decoder").mkdir(parents=True)
    (folder / "decoder" / "mine.yaml").write_text("_target_: mine.Mine\n")
    arguments = ["a", "b", "--config-dir", str(folder), "decoder=mine"]
    options = read_command_line(TranscribeOptions, arguments, "", (2, 2)).options
    assert options.decoder == Component("mine.Mine")
    arguments[3] = str(tmp_path / "none")
    with pytest.raises(UsageError, match="none: no such folder"):
        read_command_line(TranscribeOptions, arguments, "", (2, 2))


def test_the_composed_configuration_is_printed_on_request(call):
    code, out, _ = call("evaluate", "--cfg", "job", "corpus=yesno", "split=dev")
    assert code == 0
    assert "split: dev" in out
    code, out, _ = call("train", "recipe=an4/bigru", "--cfg", "job")
    assert code == 0
    assert "hidden_size: 192" in out


def test_an_error_has_an_end(call):
    code, _, err = call("x" * 10**6)
    assert code == 2
    assert "xxx ... (2000" in err
    assert err.rstrip().endswith("info")
    assert len(err) < 21_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "unknown command 'frobnicate', expected one of: new, prepare"),
        (["trian"], "did you mean train?"),
        (["train", "corpus=yesno", "encoder=gur"], "did you mean gru?"),
        (["train", "recipe=an4/bigr"], "did you mean an4/bigru?"),
        (["train", "an4/bigru"], "did you mean recipe=an4/bigru?"),
        (["train", "corpus=yesno", "lr=1"], "did you mean task.learning_rate?"),
        (["train", "corpus=yesno", "=3"], "'=3' names no option"),
        (
            ["train", "corpus=yesno", "encoder.num-layers=3"],
            "expected encoder.num_layers=VALUE",
        ),
        (
            ["transcribe", "a", "b", "num-threads=3"],
            "underscores, expected num_threads=VALUE",
        ),
        (["transcribe", "a", "b", "--num-threads=3"], "did you mean num_threads=?"),
        (["prepare"], "corpus is not chosen; set corpus=NAME, one of: aishell1, an4"),
        (["prepare", "corpus=none"], "Could not find 'corpus/none'"),
        (["train", "recipe=my"], "recipe=my of a project is chosen in the project's"),
        (
            ["prepare", "corpus=yesno", "corpus.rate=1"],
            "corpus.rate is no option here; another choice",
        ),
        (["prepare", "corpus=yesno", "+speed=1"], "unknown option 'speed'; it takes"),
        (["prepare", "corpus=yesno", "seed=1"], "seed is no option here"),
        (["evaluate", "corpus=yesno"], "0 arguments, expected 1"),
        (["evaluate", "a.ckpt", "b.ckpt", "corpus=yesno"], "2 arguments, expected 1"),
        (["transcribe", "a.ckpt"], "1 arguments, expected at least 2"),
        (["transcribe", "a.ckpt", "--fast", "x.wav"], "unknown option '--fast'"),
        (["transcribe", "a.ckpt", "format=json", "x.wav"], "file names come first"),
        (["train"], "corpus is not chosen"),
        (
            ["train", "recipe=an4/bigru", "encoder.hiden=1"],
            "encoder.hiden is no option",
        ),
        (["train", "resume=x", "seed=2"], "seed=2: a run goes on as it began"),
        (
            ["train", "corpus=yesno", "trainer.max_epochs=a"],
            "expected a whole number",
        ),
        (["train", "corpus=yesno", "data.check=1"], "expected true or false"),
    ],
)
def test_wrong_use_is_exit_code_2(call, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"speechgru {arguments[0]}: ")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "no.ckpt"], "no.ckpt: no such checkpoint file"),
        (["transcribe", "no.ckpt", "no.wav"], "no.wav: no audio found"),
        (["evaluate", "no.ckpt", "corpus=yesno"], "no.ckpt: no such checkpoint file"),
        (["doctor", "corpus=yesno"], "run: speechgru prepare corpus=yesno"),
        (["doctor", "corpus=manifest"], "set corpus.train=A.jsonl"),
        (["train", "corpus=yesno"], "run: speechgru prepare corpus=yesno"),
        (["train", "resume=nowhere"], "nothing to resume, there is no config.yaml"),
        (["prepare", "corpus=yesno", "corpus.archive=no.gz"], "correct corpus.archive"),
    ],
)
def test_bad_input_is_exit_code_1(call, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPEECHGRU_DATA", str(tmp_path / "data"))
    code, out, err = call(*arguments)
    assert (code, out) == (1, "")
    assert message in err


def test_a_run_folder_that_cannot_be_made_is_named(call, tmp_path, monkeypatch):
    (tmp_path / "runs").write_text("a file is in the way")
    monkeypatch.chdir(tmp_path)
    code, _, err = call("train", "corpus=yesno")
    assert code == 1
    assert "runs/no_recipe" in err
    assert "check the path, its permissions" in err
    assert (tmp_path / "runs").read_text() == "a file is in the way"


def test_the_doctor_examines_a_test_split_alone(call, tones):
    code, out, _ = call(
        "doctor", "corpus=manifest", tones.overrides[2], *TINY_MODEL[:4]
    )
    assert code == 0
    assert "no split train: the tokens are those of test itself" in out


def test_the_doctor_writes_what_it_is_asked_for(call, tones, tmp_path):
    code, out, _ = call(
        "doctor", "corpus=manifest", *tones.overrides, *TINY_MODEL[:4],
        f"json={tmp_path / 'a.json'}", f"page={tmp_path / 'a.html'}",
        f"fix={tmp_path / 'clean'}", "leave_out=[pace,shared-texts]",
    )  # fmt: skip
    assert code == 0
    assert json.loads((tmp_path / "a.json").read_text())["unhealthy"] == 0
    assert "<svg" in (tmp_path / "a.html").read_text()
    assert f"utterances in {tmp_path / 'clean' / 'train.jsonl'}" in out
    left_out = (tmp_path / "clean" / "left_out.jsonl").read_text().splitlines()
    assert f"{len(left_out)} left out" in out
    assert {json.loads(line)["split"] for line in left_out} == {"dev", "test"}


def test_an_option_out_of_range_is_told_before_the_data_are_read(call, tmp_path):
    manifest = tmp_path / "train.jsonl"
    line = {"audio_filepath": "none.wav", "duration": 1.0, "text": "A"}
    manifest.write_text(json.dumps(line))
    corpus = [f"corpus.{split}={manifest}" for split in ("train", "dev")]
    for option, found in (("task.clip_norm", "-1"), ("decoder.beam_size", "0")):
        code, _, err = call(
            "train", "corpus=manifest", *corpus, "decoder=prefix_beam",
            f"{option}={found}", f"runs_dir={tmp_path}", "encoder.hidden_size=4",
        )  # fmt: skip
        assert code == 1
        assert f"{option} is {found}, expected" in err


def test_a_folder_that_holds_a_run_is_not_trained_in_again(call, tmp_path):
    checkpoint = tmp_path / "last.ckpt"
    checkpoint.write_bytes(b"days of work")
    code, _, err = call("train", "corpus=yesno", f"hydra.run.dir={tmp_path}")
    assert code == 1
    assert f"speechgru train resume={tmp_path}" in err
    assert checkpoint.read_bytes() == b"days of work"


def test_processes_from_outside_must_agree_on_a_folder(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    code, _, err = call("train", "corpus=yesno")
    assert code == 2
    assert "add hydra.run.dir=FOLDER" in err


def test_an_unforeseen_error_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["speechgru", "info", "x"])
    monkeypatch.setattr("speechgru.cli.info.main", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main()


def test_a_traceback_is_shown_on_request(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["speechgru", "info", "no.ckpt"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(InputError):
        main()


def test_file_names_are_never_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["format=json", "a, b='c' é.wav", "1e3", "x=${y}.wav", "-", "a-b=c.wav"]
    for name in names:
        (tmp_path / name).touch()
    arguments = ["a.ckpt", *names, "batch_seconds=5.5"]
    line = read_command_line(TranscribeOptions, arguments, "", (2, 99))
    assert line.positional == ["a.ckpt", *names]
    assert (line.options.format, line.options.batch_seconds) == ("txt", 5.5)


def test_all_behind_two_dashes_is_a_file_name():
    arguments = ["format=json", "--", "a.ckpt", "--help", "format=text"]
    line = read_command_line(TranscribeOptions, arguments, "", (2, 99))
    assert line.positional == ["a.ckpt", "--help", "format=text"]
    assert line.options.format == "json"


def test_a_user_whom_the_system_does_not_know_gets_a_name(call, monkeypatch):
    def unknown(_):
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        # Set first, so that it is gone again after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr("speechgru.cli.info.main", lambda _: print(getpass.getuser()))
    assert call("info")[1] == f"user{os.getuid()}\n"


def test_an_interrupted_command_is_exit_code_130(monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["speechgru", "info", "x"])
    monkeypatch.setattr("speechgru.cli.info.main", interrupted)
    with pytest.raises(SystemExit) as exit:
        main()
    assert exit.value.code == 130


def test_folders_and_globs_stand_for_their_audio_files(tmp_path):
    for name in ("b.wav", "a.flac", "notes.txt", "deep/c.mp3", "deep/d.OGG", "e.sph"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [str(tmp_path / n) for n in ("a.flac", "b.wav", "deep/c.mp3", "deep/d.OGG")]
    assert expand(str(tmp_path)) == [*found, str(tmp_path / "e.sph")]
    assert expand(str(tmp_path / "*.wav")) == [str(tmp_path / "b.wav")]
    # A name that is a file is not taken for a glob.
    (tmp_path / "[x].wav").touch()
    assert expand(str(tmp_path / "[x].wav")) == [str(tmp_path / "[x].wav")]
    [failure] = expand(str(tmp_path / "*.opus"))
    assert "no audio found" in failure.message


def test_usage_errors_are_no_input_errors():
    assert not issubclass(UsageError, InputError)


@pytest.mark.parametrize(("device", "code"), [("/dev/full", 1), ("closed pipe", 1)])
def test_output_that_cannot_be_written_ends_in_one_line_at_most(device, code):
    script = "import sys; from speechgru.cli import main as program\n"
    script += "import types; command = types.ModuleType('c')\n"
    script += "command.main = lambda _: print('text') or 0\n"
    script += "sys.modules['speechgru.cli.info'] = command\n"
    script += "sys.argv = ['speechgru', 'info']; program.main()"
    if device == "closed pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(device, os.O_WRONLY)
    result = subprocess.run(
        [sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert result.returncode == code
    assert "Exception ignored" not in result.stderr
    assert len(result.stderr.splitlines()) == (device == "/dev/full")
