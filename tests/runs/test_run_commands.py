"""Commands that are given a run folder, and nothing else."""

import json
import shutil
from dataclasses import replace

import pytest
import soundfile

from speechgru.cli.evaluate import main as evaluate
from speechgru.cli.info import main as info
from speechgru.cli.lm import main as lm
from speechgru.cli.transcribe import main as transcribe
from speechgru.cli.tune import main as tune
from speechgru.data.inventory import read_inventory
from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.evaluation.asked import ask
from speechgru.evaluation.evaluate import ask_to_score
from speechgru.evaluation.evaluate import evaluate as evaluate_run
from speechgru.interfaces import InputError
from speechgru.lm.arpa import read_arpa
from speechgru.options import DataOptions, EvaluateOptions, TuneOptions, choose
from speechgru.options.config_file import read_config, write_config
from speechgru.ranges import OptionError
from speechgru.score.results import read_results
from speechgru.score.summary import read_summary

pytestmark = pytest.mark.usefixtures("threads", "elsewhere")


def give_speakers(corpus_folder):
    for split in ("train", "dev"):
        path = corpus_folder / f"{split}.jsonl"
        utterances = [
            replace(each, speaker=f"speaker-{index % 3}")
            for index, each in enumerate(read_manifest(path))
        ]
        write_manifest(path, utterances)


def test_a_run_is_scored_on_its_own_test_split(make_run, corpus_folder, capsys):
    run = make_run()
    assert evaluate([str(run)]) == 0
    captured = capsys.readouterr()
    assert f"checkpoint: {run}/best.ckpt\n" in captured.err
    assert "corpus of the run: manifest, split=test\n" in captured.err
    results = run / "best-manifest-test.jsonl"
    assert f"results: {results}\n" in captured.out
    found = read_results(results)
    utterances = read_manifest(corpus_folder / "test.jsonl")
    assert [each.id for each in found] == [each.id for each in utterances]
    named = [f"corpus.test={corpus_folder}/test.jsonl", "output=named.jsonl"]
    assert evaluate([str(run / "best.ckpt"), "corpus=manifest", *named]) == 0
    assert [each.hypothesis for each in read_results("named.jsonl")] == [
        each.hypothesis for each in found
    ]
    summary = read_summary(run / "best-manifest-test.summary.json")
    assert summary["checkpoint"] == "best.ckpt"


def test_of_a_large_split_that_was_left_in_part_the_part_is_held_to_the_run(
    make_run, corpus_folder, monkeypatch
):
    monkeypatch.setattr("speechgru.data.inventory.MOST_RECORDED", 20)
    monkeypatch.setattr("speechgru.data.inventory.NUM_DRAWN", 10)
    run = make_run(data=DataOptions(max_train=40))
    assert evaluate([str(run), "split=train"]) == 0
    shown = {each["id"] for each in read_inventory(run / "data.jsonl")["train"]}
    utterances = read_manifest(corpus_folder / "train.jsonl")
    texts = [
        replace(each, text="B") if each.id in shown else each for each in utterances
    ]
    write_manifest(corpus_folder / "train.jsonl", texts)
    with pytest.raises(InputError, match=r"the corpus is not what it was\ntrain: 10 "):
        evaluate([str(run), "split=train"])


def test_a_checkpoint_in_a_run_folder_knows_the_corpus_too(make_run):
    run = make_run()
    shutil.copy(run / "best.ckpt", run / "average.ckpt")
    assert evaluate([str(run / "average.ckpt"), "split=dev"]) == 0
    assert len(read_results(run / "average-manifest-dev.jsonl")) == 13


def test_one_split_can_be_changed_and_the_rest_is_the_runs(make_run, corpus_folder):
    run = make_run(test=None)
    with pytest.raises(InputError, match=r"unknown split 'test'; .*corpus\.test=PATH"):
        evaluate([str(run)])
    test = corpus_folder / "test.jsonl"
    assert evaluate([str(run), f"corpus.test={test}", "output=a.jsonl"]) == 0
    assert len(read_results("a.jsonl")) == 11
    with pytest.raises(OptionError, match=r"corpus\.tset is no option"):
        evaluate([str(run), f"corpus.tset={test}"])


def test_the_last_checkpoint_is_taken_while_there_is_no_best(make_run, capsys):
    run = make_run()
    (run / "best.ckpt").rename(run / "last.ckpt")
    assert info([str(run)]) == 0
    assert f"checkpoint: {run}/last.ckpt\n" in capsys.readouterr().err
    (run / "last.ckpt").unlink()
    for command in (evaluate, tune, info):
        with pytest.raises(InputError, match=f"{run}: holds no best.ckpt and no last"):
            command([str(run)])


def test_without_a_run_the_corpus_has_to_be_named(checkpoint):
    with pytest.raises(InputError, match="lies in no run folder, and corpus is not ch"):
        evaluate([str(checkpoint)])
    with pytest.raises(InputError, match="nowhere: no such run or checkpoint"):
        evaluate(["nowhere"])
    with pytest.raises(InputError, match="lies in no run folder"):
        evaluate([str(checkpoint), "corpus.test=a.jsonl"])


def test_dev_of_a_run_is_what_it_was_validated_on(make_run, corpus_folder):
    give_speakers(corpus_folder)
    folded = ask(make_run("folded", DataOptions(fold="2/3")), TuneOptions())
    assert (folded.options.split, folded.options.fold) == ("dev", "2/3")
    assert {each.speaker for each in folded.read_split().utterances} == {"speaker-1"}
    plain = ask(make_run("plain"), TuneOptions())
    assert (plain.options.split, plain.options.fold, plain.role) == ("dev", None, "dev")
    named = ask(plain.run.folder, TuneOptions(split="train"))
    assert (named.options.split, named.role) == ("train", "train")


def test_what_a_run_resamples_and_maps_is_so_in_its_scores(make_run, capsys):
    run = make_run(data=DataOptions(resample=True))
    mapped = choose("word_map", "timit39")
    config = read_config(run / "config.yaml") | {"word_map": mapped.to_plain()}
    write_config(run / "config.yaml", config)
    asked = ask_to_score(run, EvaluateOptions())
    assert asked.options.data.resample
    assert asked.options.word_map == mapped
    assert "word_map of the run: timit39\n" in capsys.readouterr().err


def test_tuning_never_slips_onto_the_test_split(make_run):
    run = make_run(data=DataOptions(dev_split="test"))
    for options in ([], ["split=test"]):
        with pytest.raises(InputError, match="the search would be on split test, exp"):
            tune([str(run), "decoder.lm=a.arpa", *options])
    assert ask(run, EvaluateOptions(split="dev")).options.split == "test"


def test_data_that_has_changed_since_is_named(make_run, corpus_folder):
    run = make_run()
    path = corpus_folder / "wav/dev-003.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path, -samples, rate)
    with pytest.raises(InputError, match=r"dev: 1 of 13 changed: dev-003 \(other audi"):
        evaluate([str(run), "split=dev"])
    soundfile.write(path, samples, rate)
    utterances = read_manifest(corpus_folder / "dev.jsonl")
    write_manifest(corpus_folder / "dev.jsonl", utterances[1:])
    message = (
        f"^{run}: the corpus is not what it was\n"
        "dev: 13 when the run began, 12 now; missing: dev-000\n"
        "bring it back, say where it is by data_dir=FOLDER, or name what there is as "
        "another corpus, by corpus=NAME$"
    )
    with pytest.raises(InputError, match=message):
        ask(run, TuneOptions()).read_split()
    # Whoever names it means it; and test is none of the data that the run had.
    dev = f"corpus.dev={corpus_folder}/dev.jsonl"
    assert evaluate([str(run), "split=dev", dev]) == 0
    assert evaluate([str(run)]) == 0


def test_what_the_run_left_out_may_be_there(make_run):
    asked = ask(make_run(data=DataOptions(max_dev=5)), EvaluateOptions(split="dev"))
    assert len(asked.read_split().utterances) == 13


def test_a_language_model_knows_the_part_that_the_run_heard(make_run, capsys):
    run = make_run(data=DataOptions(train_hours=0.005))
    heard = len(read_inventory(run / "data.jsonl")["train"])
    assert 0 < heard < 30  # of 80
    assert lm([str(run), "order=1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{heard} sentences, "), out
    asked = ask(run, EvaluateOptions(split="train"))
    assert len(asked.read_split().utterances) > heard


def test_a_run_that_keeps_no_inventory_is_scored_as_it_is(make_run, corpus_folder):
    run = make_run()
    (run / "data.jsonl").unlink()
    assert len(ask(run, EvaluateOptions(split="dev")).read_split().utterances) == 13


def test_a_corpus_that_has_moved_can_be_named(make_run, corpus_folder, tmp_path):
    run = make_run()
    moved = corpus_folder.rename(tmp_path / "moved")
    with pytest.raises(InputError, match="if that has moved, say where it is now: "):
        evaluate([str(run)])
    assert evaluate([str(run), f"corpus.test={moved}/test.jsonl"]) == 0


def test_python_scores_a_run_as_well(make_run):
    run = make_run()
    evaluation = evaluate_run(run)
    assert (evaluation.corpus, evaluation.split) == ("manifest", "test")
    assert evaluation.checkpoint == run / "best.ckpt"


def test_the_language_model_of_a_run_counts_what_it_was_trained_on(
    make_run, corpus_folder, capsys
):
    run = make_run(dev=None)
    assert lm([str(run), "order=2"]) == 0
    printed = capsys.readouterr().out
    texts = [each.text for each in read_manifest(corpus_folder / "train.jsonl")]
    words = [word for text in texts for word in text.split()]
    assert f"61 sentences, {len(words)} words\n" in printed
    assert "held out" not in printed  # there is no dev, and none is asked for
    assert f"language model: {run}/lm-2-words.arpa\n" in printed
    assert read_arpa(run / "lm-2-words.arpa").order == 2


def test_a_change_of_a_corpus_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("A B\n")
    with pytest.raises(InputError, match=r"corpus\.train is set, but there is no corp"):
        lm([str(tmp_path / "a.txt"), "corpus.train=a.jsonl"])


def test_the_folds_of_a_run_are_those_of_its_language_model(
    make_run, corpus_folder, capsys
):
    give_speakers(corpus_folder)
    assert lm([str(make_run(data=DataOptions(fold="1/3"))), "order=1"]) == 0
    printed = capsys.readouterr().out
    held_out = sum(
        each.speaker == "speaker-0"
        for split in ("train", "dev")
        for each in read_manifest(corpus_folder / f"{split}.jsonl")
    )
    assert f"{61 + 13 - held_out} sentences" in printed
    assert "held out: perplexity" in printed


def test_what_the_run_skipped_is_not_counted(make_run, corpus_folder, capsys):
    run = make_run()
    skipped = {"split": "train", "id": "train-007", "index": 7, "problem": "bad"}
    (run / "skipped.jsonl").write_text(json.dumps(skipped) + "\n")
    lines = (run / "data.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"train-007"' not in line]
    (run / "data.jsonl").write_text("".join(kept))
    assert lm([str(run), "order=1"]) == 0
    assert "60 sentences" in capsys.readouterr().out


def test_a_run_whose_texts_have_changed_gets_no_language_model(make_run, corpus_folder):
    run = make_run()
    utterances = read_manifest(corpus_folder / "train.jsonl")
    utterances[4] = replace(utterances[4], text="A A A")
    write_manifest(corpus_folder / "train.jsonl", utterances)
    with pytest.raises(InputError, match=r"train: 1 of 61 changed: train-004 \(text "):
        lm([str(run)])
    # Where the sound lies is nothing to a language model.
    shutil.rmtree(corpus_folder / "wav")
    write_manifest(corpus_folder / "train.jsonl", utterances[:4])
    own = f"corpus.train={corpus_folder}/train.jsonl"
    assert lm([str(run), "corpus=manifest", own, "output=own.arpa"]) == 0


def test_files_beside_a_run_count_as_well(make_run, tmp_path, capsys):
    (tmp_path / "more.txt").write_text("ab ba\n")
    run = make_run()
    assert lm([str(run), str(tmp_path / "more.txt"), "order=1"]) == 0
    assert "62 sentences" in capsys.readouterr().out
    assert (run / "lm-more-1-words.arpa").is_file()


def test_tune_takes_the_language_model_of_the_run(make_run, capsys):
    run = make_run()
    with pytest.raises(InputError, match=f"make one first: speechgru lm {run}"):
        tune([str(run)])
    assert lm([str(run), "order=1"]) == 0
    few = ["decoder.beam_size=2", "lm_weights=[0.5]", "word_scores=[0]"]
    assert tune([str(run), *few, "beam_sizes=[2]"]) == 0
    assert "manifest dev: 13 utterances" in capsys.readouterr().out
    assert (run / "lm-1-words.prefix_beam.weights.json").is_file()
    assert lm([str(run), "order=2"]) == 0
    with pytest.raises(InputError, match=r"lm-1-words\.arpa, lm-2-words\.arpa, exp"):
        tune([str(run)])


def test_what_rescores_is_tuned_behind_the_language_model_of_the_run(
    make_run, monkeypatch, capsys
):
    searched = []
    monkeypatch.setattr(
        "speechgru.evaluation.rescore_search.tune_rescoring",
        lambda asked: searched.append(asked.options.decoder.options["lm"]),
    )
    run = make_run()
    assert tune([str(run), "rescore=nowhere"]) == 0
    (run / "lm-1-words.arpa").touch()
    assert tune([str(run), "rescore=nowhere"]) == 0
    assert tune([str(run), "rescore=nowhere", "decoder.lm=other.arpa"]) == 0
    assert searched == [None, f"{run}/lm-1-words.arpa", "other.arpa"]
    assert f"language model: {run}/lm-1-words.arpa" in capsys.readouterr().out


def test_what_hears_recordings_takes_a_run_too(make_run, corpus_folder, capsys):
    run = make_run()
    wav = str(corpus_folder / "wav/test-000.wav")
    assert transcribe([str(run), wav]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith(f"checkpoint: {run}/best.ckpt\n")
    assert transcribe([str(run / "best.ckpt"), wav]) == 0
    assert capsys.readouterr().out == captured.out
