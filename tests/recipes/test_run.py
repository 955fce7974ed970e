"""The script behind every recipe's run.sh: which commands it runs, in which order."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / "recipes"

RECORD = '#!/bin/sh\necho "speechgru $*" >> calls.txt\n'
TRAIN = """
for last; do case "$last" in hydra.run.dir=*) run="${last#*=}";; esac; done
if [ "$1" = train ] && [ -n "$run" ]; then
    mkdir -p "$run"
    touch "$run/last.ckpt"
    printf 'data:\\n  fold: %s\\n' "${FOLD:-null}" > "$run/config.yaml"
fi
if [ "$1" = evaluate ]; then printf '\\nWER %s %%\\n' "${WER:-7.00}"; fi
"""


@pytest.fixture
def calls(tmp_path):
    """Run a script among commands that only write down how they were called."""
    python = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    for name, body in {"speechgru": RECORD + TRAIN, "python": python}.items():
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(body)
        command.chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    # Where the user's data lie is none of a script's business.
    around = {
        name: value for name, value in os.environ.items() if "SPEECHGRU" not in name
    }

    def run(script: str, *arguments: str, **environment: str) -> list[str]:
        record = tmp_path / "calls.txt"
        record.unlink(missing_ok=True)
        subprocess.run(
            ["bash", str(RECIPES / script), *arguments],
            cwd=tmp_path,
            env={**around, "PATH": path, **environment},
            check=True,
        )
        return record.read_text().splitlines()

    return run


def run_of(seed: int) -> str:
    return f"runs/yesno/bigru/seed{seed}"


def test_it_trains_and_scores_every_seed_and_makes_the_row(calls):
    found = calls("yesno/run.sh", "1", "2", "--", "trainer.max_epochs=1")
    assert found[0] == "speechgru prepare corpus=yesno"
    for seed, place in ((1, 1), (2, 5)):
        run = run_of(seed)
        assert found[place : place + 4] == [
            f"speechgru train recipe=yesno/bigru seed={seed} corpus=yesno "
            f"trainer.max_epochs=1 hydra.run.dir={run}",
            f"speechgru evaluate {run} split=dev",
            f"speechgru evaluate {run} split=test",
            f"speechgru report {run}",
        ]
    (row,) = found[9:]
    assert row == f"speechgru row {run_of(1)} {run_of(2)}"


def test_it_goes_on_where_it_was_stopped(calls):
    first = calls("yesno/run.sh")
    again = calls("yesno/run.sh")
    assert first[1].startswith("speechgru train recipe=yesno/bigru seed=1 ")
    assert again[1] == f"speechgru train resume={run_of(1)}"
    assert again[2:] == first[2:]


def test_it_begins_anew_where_a_run_was_killed_before_its_first_checkpoint(
    calls, tmp_path
):
    folder = tmp_path / run_of(1)
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("data: {fold: null}\n")
    (folder / ".last.ckpt.0123abcd").write_text("half")
    assert calls("yesno/run.sh")[1].startswith("speechgru train recipe=yesno/bigru ")


def test_dev_is_not_scored_where_it_was_trained_on(calls):
    found = calls("an4/run.sh", FOLD="all")
    assert [call.split()[-1] for call in found if "evaluate" in call] == ["split=test"]


def test_language_models_are_tuned_on_voices_that_nothing_has_heard(calls, tmp_path):
    for folder, name, weights in (
        ("lm", "an4-fold1.prefix_beam", {"lm_weight": 0.5, "word_score": -1.0}),
        ("runs/an4/lm/fold1", "best.rescore", {"rescore_weight": 0.3}),
    ):
        path = tmp_path / folder / f"{name}.weights.json"
        path.parent.mkdir(parents=True)
        trials = [{"lm_weight": 0.1, "word_score": 0.0}]
        path.write_text(json.dumps({**weights, "trials": trials}, indent=2))
    found = [call.split() for call in calls("an4/language_models.sh", "1", "2")]
    knowing = [words for words in found if words[1] in ("train", "lm", "tune")]
    assert [words[1] for words in knowing] == [
        *("train", "train", "lm", "train", "lm", "tune", "tune")
    ]
    folds = [
        option
        for words in knowing
        for option in words
        if option.startswith(("data.fold=", "fold="))
    ]
    assert folds == [
        *("data.fold=1/4", "data.fold=1/4", "fold=1/4", "data.fold=all", "fold=all"),
        *("fold=1/4", "fold=1/4"),
    ]
    scored = [words for words in found if words[1] == "evaluate"]
    assert [words[2] for words in scored] == [
        f"runs/an4/bigru/seed{seed}/best.ckpt" for seed in (1, 1, 2, 2)
    ]
    for words in scored:
        assert "decoder.lm=lm/an4-foldall.arpa" in words
        assert {"decoder.lm_weight=0.5", "decoder.word_score=-1.0"} <= set(words)
    assert "rescore_weight=0.3" in scored[1]
    assert found[-1][:2] == ["speechgru", "row"]


def test_language_models_of_books_are_tuned_on_dev_with_the_first_seed(calls, tmp_path):
    (tmp_path / "lm").mkdir()
    (tmp_path / "lm/books-4.ngrams").touch()  # books.sh has been run
    found = calls("mini_librispeech/language_models.sh", "1", "2")
    first, second = (f"runs/mini_librispeech/bigru/seed{seed}" for seed in (1, 2))
    assert found[0] == f"speechgru lm {first}"
    models = (f"{first}/lm-3-words.arpa", "lm/books-4.ngrams")
    for model, scored in zip(models, (found[1:4], found[4:7]), strict=True):
        search = f"decoder.lm={model} decoder.beam_size=300"
        assert scored == [
            f"speechgru tune {first} {search}",
            f"speechgru evaluate {first} split=test decoder=prefix_beam {search}",
            f"speechgru evaluate {second} split=test decoder=prefix_beam {search}",
        ]
    assert found[7:] == [f"speechgru row {first} {second}"]


def test_a_recurrent_language_model_of_books_is_trained_if_it_is_asked_for(
    calls, tmp_path
):
    (tmp_path / "lm").mkdir()
    (tmp_path / "lm/books-4.ngrams").touch()
    gru = "runs/mini_librispeech/lm"
    found = calls("mini_librispeech/language_models.sh", "1", GRU="yes")
    train, *scored = found[5:8]
    assert train == f"speechgru train recipe=mini_librispeech/lm hydra.run.dir={gru}"
    assert scored == [f"{plain} rescore={gru}" for plain in found[3:5]]
    again = calls("mini_librispeech/language_models.sh", "1", GRU="yes")
    assert again[5] == f"speechgru train resume={gru}"


def test_mini_librispeech_may_be_trained_on_phones(calls, tmp_path):
    (tmp_path / "lm").mkdir()
    (tmp_path / "lm/books-4.ngrams").touch()
    run = "runs/mini_librispeech/phones/seed3"
    train = calls("mini_librispeech/run.sh", "3", RECIPE="phones")[1]
    assert train.startswith("speechgru train recipe=mini_librispeech/phones seed=3 ")
    assert train.endswith(f" hydra.run.dir={run}")
    found = calls("mini_librispeech/language_models.sh", "3", RECIPE="phones")
    assert found[-1] == f"speechgru row {run}"


def test_language_models_of_books_take_no_options_of_training(calls):
    with pytest.raises(subprocess.CalledProcessError):
        calls("mini_librispeech/language_models.sh", "1", "--", "trainer.max_epochs=2")


def test_both_partitions_of_the_digits_have_runs_of_their_own(calls):
    found = calls("fsdd/run.sh", "2", FOLD="all")
    for partition, commands in (("official", found[:5]), ("unseen", found[5:])):
        run = f"runs/fsdd/bigru-{partition}/seed2"
        corpus = f"corpus=fsdd corpus.partition={partition} corpus.sample_rate=8000"
        assert commands[:4] == [
            f"speechgru prepare {corpus}",
            f"speechgru train recipe=fsdd/bigru seed=2 {corpus} hydra.run.dir={run}",
            f"speechgru evaluate {run} split=test",
            f"speechgru report {run}",
        ]
        assert commands[4] == f"speechgru row {run}"


def test_rows_of_the_ablation_are_chosen_with_a_fold(calls):
    found = calls("an4/ablation.sh", "silence", "words", FOLD="2/4")
    assert found[0] == "speechgru prepare corpus=an4"
    for name, commands in (("silence", found[1:4]), ("words", found[4:])):
        run = f"runs/an4/ablation/fold2/{name}"
        train, evaluate, compare = commands
        assert train.startswith("speechgru train recipe=an4/bigru data.fold=2/4 ")
        assert f" hydra.run.dir={run} " in train
        assert evaluate.startswith(f"speechgru evaluate {run}/epoch-00")
        assert compare.startswith(
            f"speechgru compare runs/an4/ablation/fold2/base/results.jsonl {run}/"
        )


@pytest.mark.parametrize(
    ("hours", "recipe", "parts"),
    [
        ("100", "bigru_100", "train-clean-100"),
        ("460", "bigru_960", "train-clean-100,train-clean-360"),
        ("960", "bigru_960", "train-clean-100,train-clean-360,train-other-500"),
    ],
)
def test_librispeech_trains_on_as_many_hours_as_are_asked_for(
    calls, hours, recipe, parts
):
    found = calls("librispeech/run.sh", "2", HOURS=hours)
    corpus = f"corpus=librispeech corpus.parts.train=[{parts}] corpus.download=true"
    run = f"runs/librispeech/bigru_{hours}/seed2"
    assert found[:2] == [
        f"speechgru prepare {corpus}",
        f"speechgru train recipe=librispeech/{recipe} seed=2 {corpus} "
        f"hydra.run.dir={run}",
    ]


def test_timit_is_taken_from_the_folder_of_the_user(calls):
    found = calls("timit/run.sh", TIMIT="mine/TIMIT", TRANSCRIPT="phones48")
    assert found[0] == (
        "speechgru prepare corpus=timit corpus.folder=mine/TIMIT "
        "corpus.transcript=phones48"
    )
    with pytest.raises(subprocess.CalledProcessError):
        calls("timit/run.sh", TIMIT="")


NEW = ["mini_librispeech", "ljspeech", "vctk", "speech_commands", "tedlium"]


@pytest.mark.parametrize("name", NEW)
def test_a_recipe_prepares_and_trains_its_corpus(calls, name):
    found = calls(f"{name}/run.sh")
    assert found[0].startswith(f"speechgru prepare corpus={name}")
    assert found[1].startswith(f"speechgru train recipe={name}/bigru seed=1 ")


LANGUAGES = ["common_voice", "mls", "fleurs", "aishell1", "thchs30", "voxforge"]


@pytest.mark.parametrize("name", [*NEW, "librispeech", "timit", *LANGUAGES])
def test_a_page_says_what_its_corpus_is_and_what_was_not_run(name):
    page = (RECIPES / name / "README.md").read_text()
    assert f"recipes/{name}/run.sh" in page
    assert "not run here" in page.lower() or "| seeds |" in page


def test_a_language_of_common_voice_has_runs_of_its_own(calls):
    found = calls(
        "common_voice/run.sh",
        "2",
        CORPUS_LANGUAGE="cy",
        RELEASE="cv-25",
        SPLITS="validated",
    )
    corpus = (
        "corpus=common_voice corpus.language=cy corpus.release=cv-25 "
        "corpus.splits=validated"
    )
    run = "runs/common_voice/cy-validated/seed2"
    assert found[:2] == [
        f"speechgru prepare {corpus}",
        f"speechgru train recipe=common_voice/bigru seed=2 {corpus} "
        f"hydra.run.dir={run}",
    ]
    with pytest.raises(subprocess.CalledProcessError):
        calls("common_voice/run.sh", CORPUS_LANGUAGE="cy", RELEASE="")


def test_scripts_hold_only_where_every_word_is_read_as_it_is_written(calls, tmp_path):
    for language in ("dv", "ta"):
        splits = tmp_path / f"data/common_voice/{language}/speakers"
        splits.mkdir(parents=True)
        (splits / "train.jsonl").write_text("{}\n" * 80)
    script = ("common_voice/scripts.sh", "dv", "ta")
    found = calls(*script, RELEASE="cv-6", WER="0.00")
    assert [call.split()[1] for call in found[:7]] == [
        *("prepare", "train", "lm", "evaluate", "evaluate", "transcribe", "report")
    ]
    assert len(found) == 14
    assert (splits / "eight.jsonl").read_text() == "{}\n" * 8
    with pytest.raises(subprocess.CalledProcessError):
        calls(*script, RELEASE="cv-6", WER="0.10")
    with pytest.raises(subprocess.CalledProcessError):
        calls(*script, RELEASE="", WER="0.00")


@pytest.mark.parametrize(
    ("name", "options", "corpus"),
    [
        (
            "mls",
            {"CORPUS_LANGUAGE": "german"},
            "corpus.language=german corpus.codec=opus",
        ),
        ("fleurs", {"CORPUS_LANGUAGE": "cy_gb"}, "corpus.language=cy_gb"),
        ("voxforge", {"SESSIONS": "mine"}, "corpus.archive=mine"),
        ("voxforge", {}, "corpus.download=true"),
        ("aishell1", {}, ""),
        ("thchs30", {}, ""),
    ],
)
def test_corpora_of_many_languages_are_prepared_as_asked(calls, name, options, corpus):
    found = calls(f"{name}/run.sh", "1", **options)
    assert found[0] == f"speechgru prepare corpus={name} {corpus}".strip()
    assert found[1].startswith(f"speechgru train recipe={name}/bigru seed=1 ")


def test_books_are_fetched_once_and_counted(calls, tmp_path):
    curl = tmp_path / "bin" / "curl"
    curl.write_text(
        '#!/bin/sh\nfor last; do :; done\necho "curl $last" >> calls.txt\n'
        'while [ "$1" != --output ]; do shift; done\necho text > "$2"\n'
    )
    curl.chmod(0o755)
    numbers = [
        line.split("\t")[0]
        for line in (RECIPES / "mini_librispeech/books.tsv").read_text().splitlines()
    ]
    assert len(set(numbers)) == len(numbers) > 100
    options = ("mini_librispeech/books.sh", "texts", "--", "corpus.parts.dev=[]")
    found = calls(*options, PAUSE="0", GUTENBERG="https://mirror")
    fetched = [f"curl https://mirror/cache/epub/{n}/pg{n}.txt" for n in numbers]
    assert found[: len(numbers)] == fetched
    assert found[len(numbers) :] == calls(*options)
    files = " ".join(f"texts/{number}.txt" for number in numbers)
    corpus = "corpus=mini_librispeech corpus.parts.dev=[]"
    assert found[-2] == f"speechgru books {files} {corpus} output=lm/books.txt"
    assert found[-1].startswith("speechgru lm lm/books.txt order=4 prune=[0,0,1,1] ")
