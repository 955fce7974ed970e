"""The table of runs."""

import json
from pathlib import Path

import pytest
import yaml

from speechgru.cli.runs import main
from speechgru.files import write_json_lines
from speechgru.interfaces import InputError
from speechgru.options.component import flatten
from speechgru.report.run_differences import find_differences
from speechgru.report.runs import describe_run, list_runs


def make_run(
    folder: Path,
    config: dict,
    dev_wers: list[float],
    scores: dict[str, float] | None = None,
) -> Path:
    """Write what `train` and `evaluate` leave in a run folder."""
    metrics = folder / "metrics" / "version_0" / "metrics.csv"
    metrics.parent.mkdir(parents=True)
    lines = ["epoch,step,train/cpu_seconds,train/wall_seconds,val/wer"]
    for epoch, wer in enumerate(dev_wers):
        seconds = f"{1800 * (epoch + 1)},{2000 * (epoch + 1)}"
        lines += [f"{epoch},{epoch},,,{wer}", f"{epoch},{epoch},{seconds},"]
    metrics.write_text("\n".join(lines) + "\n")
    full = {"seed": 1, "runs_dir": "runs", "trainer": {"max_epochs": 3}, **config}
    (folder / "config.yaml").write_text(yaml.safe_dump(full))
    for split, rate in (scores or {}).items():
        words = {"rate": rate, "low": rate - 0.01, "high": rate + 0.01}
        summary = {"corpus": "tones", "split": split, "checkpoint": "best.ckpt"}
        write_json_lines(
            folder / f"best-tones-{split}.summary.json", [{**summary, "words": words}]
        )
    return folder


@pytest.fixture
def three_runs(tmp_path) -> Path:
    """Two alike but for the seed, one of another encoder that was stopped."""
    gru = {"encoder": {"_target_": "GRU", "hidden_size": 128}, "corpus": {"name": "a"}}
    rnn = {"encoder": {"_target_": "RNN", "hidden_size": 128}, "corpus": {"name": "a"}}
    make_run(tmp_path / "gru/s1", gru, [0.5, 0.2, 0.3], {"dev": 0.2, "test": 0.25})
    make_run(tmp_path / "gru/s2", {**gru, "seed": 2}, [0.5, 0.4, 0.1])
    make_run(tmp_path / "rnn/s1", rnn, [0.9])
    return tmp_path


def test_the_table_says_how_each_run_did_and_what_is_special_to_it(three_runs, capsys):
    assert main([str(three_runs)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["run", "seed", "epochs", "CPU", "h:min", "dev", "WER"],
        [f"{three_runs}/gru/s1", "1", "3/3", "1:30", "20.00"],
        ["tones", "dev:", "WER", "20.00", "%", "[19.00,", "21.00]"],
        ["tones", "test:", "WER", "25.00", "%", "[24.00,", "26.00]"],
        [f"{three_runs}/gru/s2", "2", "3/3", "1:30", "10.00"],
        [f"{three_runs}/rnn/s1", "1", "1/3", "0:30", "90.00"],
        ["encoder._target_=RNN"],
    ]


def test_a_run_that_counts_in_steps_wants_no_number_of_epochs(tmp_path, capsys):
    limits = {"trainer": {"max_epochs": 100, "max_steps": 500}}
    make_run(tmp_path / "s1", limits, [0.5, 0.2])
    assert main([str(tmp_path)]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.split() == [f"{tmp_path}/s1", "1", "2", "1:00", "20.00"]


def test_a_run_that_trains_is_marked(three_runs, capsys, monkeypatch):
    def owner(folder):
        return {} if folder.name == "s2" else None

    monkeypatch.setattr("speechgru.report.runs.read_owner", owner)
    assert main([str(three_runs)]) == 0
    (marked,) = (
        line for line in capsys.readouterr().out.splitlines() if "training" in line
    )
    assert marked.split()[0] == f"{three_runs}/gru/s2"
    assert marked.endswith("10.00  training")


def test_the_same_as_json(three_runs, capsys):
    assert main([str(three_runs), "format=json"]) == 0
    runs = {
        Path(run["run"]).parts[-2:]: run for run in json.loads(capsys.readouterr().out)
    }
    assert runs["gru", "s1"] == {
        "run": f"{three_runs}/gru/s1",
        "seed": 1,
        "epochs": 3,
        "max_epochs": 3,
        "cpu_seconds": 5400,
        "wall_seconds": 6000,
        "best_dev_wer": 0.2,
        "is_training": False,
        "scores": [
            {
                "corpus": "tones",
                "split": split,
                "checkpoint": "best.ckpt",
                "decoder": None,
                "rate": rate,
                "low": pytest.approx(rate - 0.01),
                "high": pytest.approx(rate + 0.01),
            }
            for split, rate in (("dev", 0.2), ("test", 0.25))
        ],
        "differs": {},
    }
    assert runs["rnn", "s1"]["differs"] == {"encoder._target_": "RNN"}


def test_folders_are_searched_each_once(three_runs, capsys):
    main([str(three_runs / "gru"), str(three_runs / "gru/s1")])
    out = capsys.readouterr().out
    assert out.count(f"{three_runs}/gru/s1 ") == 1
    assert "rnn" not in out


def test_options_that_only_some_runs_have_are_differences(tmp_path, capsys):
    for name in ("a", "b"):
        make_run(tmp_path / name, {}, [0.5])
    make_run(tmp_path / "c", {"encoder": {"lookahead": 8}, "data_dir": "z"}, [0.5])
    main([str(tmp_path), "format=json"])
    differs = [run["differs"] for run in json.loads(capsys.readouterr().out)]
    assert differs == [{}, {}, {"encoder.lookahead": "8"}]
    main([str(tmp_path), "format=json", "ignore=[encoder.lookahead]"])
    differs = [run["differs"] for run in json.loads(capsys.readouterr().out)]
    assert differs == [{}, {}, {"data_dir": "z"}]


def test_of_another_corpus_only_the_name_is_told(tmp_path, capsys):
    for name, files in (("a", 1), ("a2", 1), ("b", 2)):
        corpus = {"name": name[0], "files": files}
        make_run(tmp_path / name, {"corpus": corpus}, [0.5])
    main([str(tmp_path)])
    assert "\n    corpus.name=b\n" in capsys.readouterr().out


def test_a_run_without_an_epoch_is_listed(tmp_path, capsys):
    make_run(tmp_path / "new", {}, [])
    main([str(tmp_path)])
    assert capsys.readouterr().out.splitlines()[1].split()[1:] == ["1", "0/3", "-", "-"]


def test_an_infinite_rate_is_told(tmp_path, capsys):
    make_run(tmp_path / "silent", {}, [0.5], {"test": float("inf")})
    main([str(tmp_path)])
    assert "tones test: WER inf % [inf, inf]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.yaml", "a: [1, 2"),
        ("config.yaml", "- 1"),
        ("config.yaml", "a: 1\na: 2"),
        ("best-tones-test.summary.json", '{"words": 3}'),
        ("best-tones-test.summary.json", "[]"),
        ("best-tones-test.summary.json", ""),
        ("metrics/version_0/metrics.csv", "epoch,step\nx,3\n"),
    ],
)
def test_damaged_runs_are_named_and_do_not_hide_the_others(
    three_runs, capsys, file, content
):
    (three_runs / "gru/s1" / file).write_text(content)
    assert main([str(three_runs)]) == 1
    out, err = capsys.readouterr()
    assert [line.split()[1:3] for line in out.splitlines() if "/s" in line] == [
        ["2", "3/3"],
        ["1", "1/3"],
    ]
    assert err.startswith(f"left out: {three_runs}/gru/s1/{file}: ")


def test_when_all_are_damaged_there_is_no_table(tmp_path, capsys):
    make_run(tmp_path / "a", {}, [0.5])
    (tmp_path / "a/config.yaml").write_text("{")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == ""


def test_nothing_to_list_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such folder; name another"):
        main([str(tmp_path / "nowhere")])
    (tmp_path / "config.yaml").write_text("a: 1")
    with pytest.raises(InputError, match="no runs, expected folders that `train` made"):
        main([str(tmp_path)])
    with pytest.raises(
        InputError, match="format is 'csv', expected one of: text, json"
    ):
        main([str(tmp_path), "format=csv"])


def test_a_run_can_be_described_from_python(three_runs):
    run = describe_run(three_runs / "gru/s1")
    assert (run.seed, run.epochs, run.cpu_seconds, run.best_dev_wer) == (
        1,
        3,
        5400,
        0.2,
    )
    assert [(score.split, score.rate) for score in run.scores] == [
        ("dev", 0.2),
        ("test", 0.25),
    ]
    assert run.config["encoder.hidden_size"] == 128
    listed = list_runs([three_runs])
    assert listed.runs[0] == run
    assert listed.differences == (
        {},
        {"seed": "2"},
        {"encoder._target_": "RNN"},
    )


def differences(*configs):
    """With two more that are as the first."""
    return find_differences(
        [flatten(config) for config in (*configs, *configs[:1] * 2)]
    )


def test_numbers_are_equal_however_they_are_written():
    a = {"task": {"learning_rate": 1e-3, "smoothing": 0, "betas": [1, 0.5]}}
    b = {"task": {"learning_rate": 0.001, "smoothing": 0.0, "betas": [1.0, 0.5]}}
    assert differences(a, b) == [{}] * 4
    assert differences(a, {"task": {**b["task"], "smoothing": 0.1}})[1] == {
        "task.smoothing": "0.1"
    }
    # True is no number.
    assert differences({"seed": 1}, {"seed": True})[1] == {"seed": "true"}


def test_what_older_runs_did_not_have_yet_is_no_difference():
    target = "speechgru.model.encoders.gru.GRUEncoder"
    old = {"trainer": {"max_epochs": 3}, "encoder": {"_target_": target}}
    new = {
        "trainer": {"max_epochs": 3, "deterministic": False, "timeout": 600},
        "encoder": {"_target_": target, "self_conditioned": False},
        "word_map": {"_target_": None},
    }
    assert differences(new, old) == differences(old, new) == [{}] * 4
    # Unless it was asked for.
    new["encoder"]["self_conditioned"] = new["trainer"]["deterministic"] = True
    asked = {"encoder.self_conditioned": "true", "trainer.deterministic": "true"}
    assert differences(old, new)[1] == asked


def test_what_the_program_fills_in_is_no_difference():
    here = {"data_dir": "data", "corpus": {"name": "an4", "root": "data/an4"}}
    there = {"data_dir": "/big", "corpus": {"name": "an4", "root": "/big/an4"}}
    assert differences(here, there)[1] == {"data_dir": "/big"}
    other = {**here, "corpus": {"name": "an4", "root": "data/mine"}}
    assert differences(here, other)[1] == {"corpus.root": "/mine"}
    epochs = [{"max_time": "2h", "max_epochs": number} for number in (3, 5)]
    assert differences(*({"trainer": each} for each in epochs))[1] == {}


def test_another_class_brings_other_options_and_says_only_so():
    one = {"encoder": {"_target_": "a.GRU", "hidden_size": 8, "lookahead": 2}}
    two = {"encoder": {"_target_": "a.LSTM", "hidden_size": 9, "_partial_": True}}
    assert differences(one, two)[1] == {
        "encoder._target_": "a.LSTM",
        "encoder.hidden_size": "9",
    }
    assert differences({"augment": {}}, {"augment": {"speed": {"_target_": "S"}}})[
        1
    ] == {"augment.speed._target_": "S"}


def test_each_score_tells_its_decoder_and_language_model(tmp_path, capsys):
    run = make_run(tmp_path / "a", {}, [0.5], {"dev": 0.3, "test": 0.2})
    beam = {
        "_target_": "speechgru.decode.prefix_beam.PrefixBeam",
        "lm": "lm/an4-3.arpa",
    }
    greedy = {"_target_": "speechgru.decode.greedy.GreedyDecoder"}
    changes = {
        "dev": {"decoder": beam, "rescore": "runs/words/best.ckpt"},
        "test": {"decoder": greedy, "segment": "vad", "checkpoint": "last.ckpt"},
    }
    for split, said in changes.items():
        path = run / f"best-tones-{split}.summary.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | said))
    main([str(tmp_path)])
    _, _, dev, test = capsys.readouterr().out.splitlines()
    assert dev.endswith("31.00], prefix_beam with an4-3, rescored by words")
    assert test.endswith("21.00], greedy, segment=vad, last.ckpt")
    assert describe_run(run).scores[1].decoder == "greedy, segment=vad"


@pytest.mark.parametrize("decoder", [3, [], {}, {"_target_": 3}, "greedy", None])
def test_a_summary_whose_decoder_is_odd_is_listed(tmp_path, capsys, decoder):
    run = make_run(tmp_path / "a", {}, [0.5], {"test": 0.2})
    path = run / "best-tones-test.summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"decoder": decoder}))
    assert main([str(tmp_path)]) == 0
    assert "tones test: WER 20.00 % [19.00, 21.00]\n" in capsys.readouterr().out
