"""Grids of training runs, and that of AN4 above all."""

import re
import subprocess
from pathlib import Path

import ablation
import pytest
from grid import read_grid

from speechgru.cli.config import compose_config, read_options
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.options.component import flatten

AN4 = Path(__file__).parents[2] / "recipes/an4/ablation.yaml"
EXPECTED = [
    line.split()
    for line in Path(__file__).with_name("an4_ablation.txt").read_text().splitlines()
]
"""Name, epochs and options of every row, of which README tells the results."""

SMALL = """
recipe: an4/bigru
corpus: [corpus=an4]
folder: runs
options: [task.optimizer=adamw]
parts:
  wide: {options: [encoder.hidden_size=512]}
rows:
  base: {epochs: 5}
  both: {epochs: 3, based_on: [wide, deep], options: [task.average=0.99]}
  deep: {epochs: 4, options: [encoder.num_layers=7]}
"""


@pytest.fixture
def grid_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "grid.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def calls(monkeypatch):
    """Commands that only write down how they were called, and what they would."""
    made = []

    def call(command, **options):
        name, arguments = command[1], command[2:]
        values = dict(each.split("=", 1) for each in arguments if "=" in each)
        made.append(" ".join(command))
        if name == "train" and "hydra.run.dir" in values:
            folder = Path(values["hydra.run.dir"])
            folder.mkdir(parents=True)
            (folder / "last.ckpt").touch()
        if name == "evaluate":
            Path(values["output"]).touch()
        printed = {"evaluate": "heads\nWER 7.00 %\n", "compare": "A\nB - A: less\n"}
        return subprocess.CompletedProcess(command, 0, printed.get(name, ""))

    monkeypatch.setattr(ablation.subprocess, "run", call)
    return made


def test_every_row_of_an4_is_what_its_results_were_made_with():
    rows = read_grid(AN4).rows.values()
    assert [[row.name, str(row.epochs), *row.options] for row in rows] == EXPECTED


def test_all_rows_of_an4_undo_the_same_of_the_recipe():
    grid = read_grid(AN4)
    assert ablation.train_arguments(grid, grid.rows["words"], "1/4") == [
        *("recipe=an4/bigru", "data.fold=1/4", "trainer.max_epochs=50"),
        *("callbacks.keep_every=50", "logger.tensorboard=false"),
        "hydra.run.dir=runs/an4/ablation/fold1/words",
        *("trainer.precision=32-true", "augment=speed"),
        *("augment.speed.factors=[0.9,0.95,1.0,1.05,1.1]", "normalize=utterance"),
        *("data.wordless=0", "features.n_mels=80", "features.hop_length=160"),
        *("spec_augment.max_freq_width=15", "spec_augment.max_time_width=25"),
        "spec_augment.max_time_fraction=0.1",
        "spec_augment.frames_per_time_mask=null",
        *("subsampling.depth=1", "subsampling.norm=null", "encoder.hidden_size=256"),
        *("encoder.piece_range=null", "task.optimizer=adamw"),
        *("task.learning_rate=2e-3", "task.consistency=0", "data.batch_seconds=40"),
        "text=words",
    ]


@pytest.mark.parametrize("name", [row[0] for row in EXPECTED])
def test_every_row_of_an4_composes(name):
    grid = read_grid(AN4)
    arguments = ablation.train_arguments(grid, grid.rows[name], "1/4")
    config = flatten(
        read_options(compose_config("train", arguments), TrainOptions).to_plain()
    )
    assert config["trainer.max_epochs"] == grid.rows[name].epochs
    # Of two values of an option the last one counts.
    options = dict(
        each.split("=") for each in (*grid.options, *grid.rows[name].options)
    )
    numbers = {
        key: float(value)
        for key, value in options.items()
        if re.fullmatch(r"[\d.]+(e-\d+)?", value)
    }
    assert len(numbers) > 8
    assert {key: config[key] for key in numbers} == numbers


def test_rows_are_trained_scored_and_compared_in_their_order(grid_file, calls, capsys):
    assert ablation.main([str(grid_file)]) == 0
    begin = "speechgru train recipe=an4/bigru data.fold=1/4"
    shared = "logger.tensorboard=false hydra.run.dir=runs/fold1"
    assert calls == [
        "speechgru prepare corpus=an4",
        f"{begin} trainer.max_epochs=5 callbacks.keep_every=5 {shared}/base "
        "task.optimizer=adamw",
        "speechgru evaluate runs/fold1/base/epoch-0005.ckpt corpus=an4 fold=1/4 "
        "output=runs/fold1/base/results.jsonl",
        f"{begin} trainer.max_epochs=3 callbacks.keep_every=3 {shared}/both "
        "task.optimizer=adamw encoder.hidden_size=512 encoder.num_layers=7 "
        "task.average=0.99",
        "speechgru evaluate runs/fold1/both/epoch-0003.ckpt corpus=an4 fold=1/4 "
        "output=runs/fold1/both/results.jsonl",
        "speechgru compare runs/fold1/base/results.jsonl "
        "runs/fold1/both/results.jsonl resample=speaker",
        f"{begin} trainer.max_epochs=4 callbacks.keep_every=4 {shared}/deep "
        "task.optimizer=adamw encoder.num_layers=7",
        "speechgru evaluate runs/fold1/deep/epoch-0004.ckpt corpus=an4 fold=1/4 "
        "output=runs/fold1/deep/results.jsonl",
        "speechgru compare runs/fold1/base/results.jsonl "
        "runs/fold1/deep/results.jsonl resample=speaker",
    ]
    assert capsys.readouterr().out.splitlines()[3:] == [
        "== deep: encoder.num_layers=7 WER 7.00 %",
        "B - A: less",
    ]


def test_it_goes_on_where_it_was_stopped(grid_file, calls):
    ablation.main([str(grid_file)])
    Path("runs/fold1/both/score.txt").unlink()
    calls.clear()
    assert ablation.main([str(grid_file)]) == 0
    assert [" ".join(call.split()[1:3]) for call in calls] == [
        "prepare corpus=an4",
        "train resume=runs/fold1/both",
        "evaluate runs/fold1/both/epoch-0003.ckpt",
        *["compare runs/fold1/base/results.jsonl"] * 2,
    ]


def test_names_and_a_fold_are_chosen(grid_file, calls, capsys):
    assert ablation.main([str(grid_file), "--fold", "3/4", "deep"]) == 0
    assert len(calls) == 4
    assert "data.fold=3/4" in calls[1]
    assert "hydra.run.dir=runs/fold3/deep" in calls[1]
    assert " fold=3/4 " in calls[2]
    assert ablation.main([str(grid_file), "deeep"]) == 1
    assert (
        "'deeep' is no row, expected one of: base, both, deep; did you mean deep?"
        in (capsys.readouterr().err)
    )
    assert len(calls) == 4


def test_a_command_that_fails_ends_it(grid_file, calls, monkeypatch):
    def fail(command, **options):
        calls.append(command[1])
        if command[1] == "train":
            raise subprocess.CalledProcessError(130, command)

    monkeypatch.setattr(ablation.subprocess, "run", fail)
    assert ablation.main([str(grid_file)]) == 130
    assert calls == ["prepare", "train"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("recipe: an4/bigru\n", "", "has no recipe; add it"),
        ("parts:", "part:", "unknown key 'part', .*did you mean parts"),
        ("epochs: 5", "epoch: 5", "base: unknown key 'epoch', .*did you mean epochs"),
        ("epochs: 5", "epochs: 0", "base: epochs is 0, expected a whole number"),
        ("[wide, deep]", "[wide, dep]", "'dep' is no part or row for both .*mean deep"),
        ("[wide, deep]", "[both]", "both is based on itself, by both"),
        ("[wide, deep]", "wide", "based_on is 'wide', expected a list of texts"),
        ("  wide:", "  deep:", "deep is a part and a row; rename one"),
        ("wide: {", "wide: [", "cannot be read"),
    ],
)
def test_a_fault_in_a_grid_is_named(grid_file, old, new, message):
    assert old in SMALL
    grid_file.write_text(SMALL.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_grid(grid_file)
