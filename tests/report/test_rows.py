"""The rows of recipe tables, from runs whose results are known."""

import json
import shutil

import pytest

from speechgru.cli.evaluate import main as evaluate
from speechgru.cli.main import UsageError
from speechgru.cli.row import main
from speechgru.interfaces import InputError
from speechgru.report.rows import HEADS
from speechgru.score.results import make_result, read_results, write_results


@pytest.fixture
def seeds(trained, tones, tmp_path):
    """Two folders of runs with results on two splits, the second of them all wrong."""
    folders = [tmp_path / "s1", tmp_path / "s2"]
    for seed, folder in enumerate(folders, start=1):
        shutil.copytree(trained.folder, folder)
        config = folder / "config.yaml"
        config.write_text(config.read_text().replace("seed: 1\n", f"seed: {seed}\n"))
        for split in ("dev", "train"):
            evaluate(
                [
                    str(folder / "best.ckpt"),
                    "corpus=manifest",
                    *tones.overrides,
                    f"split={split}",
                    f"output={folder / f'best-{split}.jsonl'}",
                ]
            )
    path = folders[1] / "best-dev.jsonl"
    wrong = [
        make_result(result.id, result.reference, "", result.scoring)
        for result in read_results(path)
    ]
    write_results(path, wrong)
    path = folders[1] / "best-dev.summary.json"
    summary = json.loads(path.read_text())
    summary["words"]["rate"] = 1.0
    path.write_text(json.dumps(summary))
    return folders


def read_rate(folder, split):
    summary = json.loads((folder / f"best-{split}.summary.json").read_text())
    return summary["words"]["rate"]


def test_there_is_a_row_for_each_split_with_the_mean_of_the_seeds(
    seeds, trained, capsys
):
    right = read_rate(seeds[0], "dev")
    assert right < 0.5
    assert main(list(map(str, seeds))) == 0
    heads, _, *rows = (
        dict(zip(HEADS, map(str.strip, line.strip("|").split("|")), strict=True))
        for line in capsys.readouterr().out.splitlines()
    )
    assert list(heads) == list(heads.values())
    dev, train = rows
    assert dev["split"].endswith(" dev")
    assert train["split"].endswith(" train")
    mean, low, high = map(
        float, dev["WER, %"].replace("[", "").replace("]", "").replace(",", "").split()
    )
    assert mean == pytest.approx(100 * (right + 1) / 2, abs=0.01)
    assert low <= mean <= high
    assert dev["of each seed"] == f"{100 * right:.2f}, 100.00"
    assert f"{int(dev['parameters'].replace(',', '')):,}" == dev["parameters"]
    said = trained.stdout + trained.stderr
    assert f"{dev['parameters'].replace(',', '')} parameters" in said
    assert dev["decoder"] == "greedy"
    assert 0 < float(dev["CPU-minutes"]) < 60


def test_one_run_is_enough(seeds, capsys):
    assert main([str(seeds[0])]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def refuse(folders, message):
    with pytest.raises(InputError, match=message):
        main(list(map(str, folders)))


def test_runs_that_are_not_alike_are_refused(seeds):
    first, second = seeds
    refuse([first, first], "expected each once")
    path = second / "best-dev.jsonl"
    write_results(path, read_results(path)[1:])
    refuse(seeds, "scored on different utterances")
    change(second / "config.yaml", "dropout: 0", "dropout: 0.5")
    refuse(seeds, "s2: .*dropout is 0.5, but .* in .*s1; give runs that differ")


def test_each_seed_may_go_on_from_a_checkpoint_of_its_own(seeds):
    configs = [folder / "config.yaml" for folder in seeds]
    for seed, config in enumerate(configs, start=1):
        path = f"runs/an1/seed{seed}/best.ckpt"
        change(config, "init_from: null\n", f"init_from: {path}\n")
    assert main(list(map(str, seeds))) == 0
    change(configs[1], "seed2/best.ckpt", "seed3/best.ckpt")
    refuse(seeds, "s2: init_from is 'runs/an1/seed3/best.ckpt', but ")
    change(configs[1], "runs/an1/seed3/best.ckpt", "null")
    refuse(seeds, "s2: init_from is None, but ")


def test_runs_without_results_are_refused(seeds):
    for path in seeds[1].glob("*.summary.json"):
        path.unlink()
    refuse(seeds, "no results that all of them hold")


def test_a_run_without_an_epoch_is_named(seeds):
    for path in seeds[1].glob("metrics/*/metrics.csv"):
        path.unlink()
    refuse(seeds, "s2: no epoch is done, .* speechgru train resume=.*s2")


def test_it_says_how_it_is_used(capsys):
    with pytest.raises(UsageError, match="usage: speechgru row RUN"):
        main([])
    with pytest.raises(SystemExit) as exit:
        main(["--help"])
    assert exit.value.code == 0
    assert "usage: speechgru row RUN" in capsys.readouterr().out
