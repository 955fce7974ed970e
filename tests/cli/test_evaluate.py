"""The command that scores a checkpoint, and the files it writes."""

import io
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import make_tones

from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    read_checkpoint,
    write_checkpoint,
)
from speechgru.cli.evaluate import main
from speechgru.data.dataset import SpeechDataset
from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.interfaces import InputError
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.score.counts import ErrorCounts, count_word_errors
from speechgru.score.nist import write_nist_files
from speechgru.score.results import make_result, read_results, write_results
from speechgru.score.summary import summarise

NUM_SPEAKERS = 11

pytestmark = pytest.mark.usefixtures("threads")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    """Tones of several speakers, the longest first; one is a part of its file."""
    path = make_tones(tmp_path_factory.mktemp("tones"), "test", 17, seed=5)
    utterances = [
        replace(utterance, speaker=f"speaker-{index % NUM_SPEAKERS}")
        for index, utterance in enumerate(read_manifest(path))
    ]
    shorter = utterances[0].duration - 0.1
    utterances[0] = replace(utterances[0], offset=0.1, duration=shorter, partial=True)
    utterances.sort(key=lambda utterance: -utterance.duration)
    write_manifest(path, utterances)
    return path


@pytest.fixture
def evaluate(checkpoint, manifest, tmp_path):
    """Run the command; give where its results lie by default."""

    def run(*options: object, test: Path = manifest) -> Path:
        output = tmp_path / "out/results.jsonl"
        given = [f"corpus.test={test}", "batch_seconds=4"]
        if not any(str(option).startswith("output=") for option in options):
            given.append(f"output={output}")
        arguments = [checkpoint, "corpus=manifest", *given, *options]
        assert main([str(argument) for argument in arguments]) == 0
        return output

    return run


@pytest.fixture
def no_decoding(monkeypatch):
    """Fail where audio is read."""

    def fail(*_):
        raise AssertionError("audio was read")

    monkeypatch.setattr(SpeechDataset, "__getitem__", fail)


def read_summary(results: Path) -> dict:
    text = results.with_suffix(".summary.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=pytest.fail)


def test_results_tell_of_every_utterance_in_the_order_of_the_corpus(evaluate, manifest):
    results = read_results(evaluate())
    utterances = read_manifest(manifest)
    assert [
        (r.id, r.reference, r.speaker, r.duration, r.audio_path.resolve(), r.offset)
        for r in results
    ] == [
        (
            *(u.id, u.text, u.speaker, u.duration, u.audio_path.resolve()),
            u.offset if u.partial else None,
        )
        for u in utterances
    ]
    for result in results:
        assert result.hypothesis == " ".join(word.text for word in result.words)
        assert 0 < result.confidence <= 1
    # Else the sums of other tests would say little.
    assert len({result.hypothesis for result in results}) > 10


def test_the_summary_says_what_the_results_say(evaluate, checkpoint, manifest, capsys):
    output = evaluate()
    results = read_results(output)
    record = read_summary(output)
    expected = summarise(results)
    assert record.items() >= expected.to_record().items()
    assert record["corpus"] == "manifest"
    assert record["split"] == "test"
    assert record["model"] == {"corpus": "noise", "seed": 3}
    assert (output.parent / record["checkpoint"]).samefile(checkpoint)
    assert record["num_utterances"] == 17
    assert record["resampled"] == "speaker"
    assert len(record["by_speaker"]) == NUM_SPEAKERS
    total = sum(
        (count_word_errors(r.reference, r.hypothesis) for r in results),
        start=ErrorCounts(),
    )
    assert expected.words.counts == total
    wrong = sum(result.reference != result.hypothesis for result in results)
    printed = capsys.readouterr().out
    assert f"WER {expected.words}: {total.edits} edits in" in printed
    assert f"CER {expected.characters}: " in printed
    assert f"SER {expected.sentences}: {wrong} of 17 utterances" in printed
    assert "bootstrap over speakers" in printed
    for speaker in range(NUM_SPEAKERS):
        assert f"\nspeaker-{speaker} " in printed
    assert f"results: {output}\n" in printed
    assert "NIST" not in printed
    assert {path.name for path in output.parent.iterdir()} == {
        *("results.jsonl", "results.summary.json")
    }


class ClosedPipe(io.StringIO):
    """A reader that has gone, as `head -1` does."""

    def write(self, text):
        raise BrokenPipeError


def test_results_are_written_before_anything_is_printed(
    evaluate, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    with pytest.raises(BrokenPipeError):
        evaluate("nist_files=true", "output=out.jsonl")
    assert len(read_results("out.jsonl")) == 17
    read_summary(Path("out.jsonl"))
    assert len(Path("out.ref.trn").read_text().splitlines()) == 17


def test_scores_are_printed_even_where_nothing_can_be_written(
    evaluate, monkeypatch, capsys
):
    def full(*_):
        raise InputError("out.jsonl: cannot be written (No space left on device)")

    monkeypatch.setattr("speechgru.evaluation.evaluate.write_results", full)
    with pytest.raises(InputError, match="No space left"):
        evaluate()
    assert "WER " in capsys.readouterr().out


def test_scoring_and_resampling_are_chosen(evaluate, capsys):
    output = evaluate("score=nist", "resample=utterance")
    results = read_results(output)
    for result in results:
        again = make_result(result.id, result.reference, result.hypothesis, "nist")
        assert (result.scoring, result.alignment) == ("nist", again.alignment)
    record = read_summary(output)
    assert (record["scoring"], record["resampled"]) == ("nist", "utterance")
    assert record.items() >= summarise(results, "utterance").to_record().items()
    printed = capsys.readouterr().out
    assert (
        "words aligned by nist; 95 % intervals by bootstrap over utterances" in printed
    )


def test_words_are_mapped_before_they_are_counted(evaluate, tmp_path, capsys):
    plain = read_results(evaluate())
    said = sorted({word for result in plain for word in result.reference.split()})
    own = tmp_path / "conf/word_map/few.yaml"
    own.parent.mkdir(parents=True)
    words = "".join(f"  {word}: null\n" for word in said[1:])
    head = "_target_: speechgru.score.word_map.WordMap\nname: few\nwords:\n"
    own.write_text(head + words)
    output = evaluate("word_map=few", "--config-dir", tmp_path / "conf")
    mapped = read_results(output)
    for before, after in zip(plain, mapped, strict=True):
        assert after.unmapped == (before.reference, before.hypothesis)
        assert set(after.reference.split()) <= {said[0]}
        assert [word.text for word in after.words] == after.hypothesis.split()
    record = read_summary(output)
    assert record["words"] == summarise(mapped).words.to_record()
    assert record["mapped_by"] == "few"
    assert record["word_map"]["words"][said[1]] is None
    assert "words mapped by few, aligned by" in capsys.readouterr().out


def test_one_process_and_two_write_equal_bytes(evaluate, tmp_path):
    written = []
    for processes in (1, 2):
        output = tmp_path / str(processes) / "results.jsonl"
        evaluate(f"output={output}", f"processes={processes}", "nist_files=true")
        written.append({p.name: p.read_bytes() for p in output.parent.iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {
        *("results.jsonl", "results.summary.json"),
        *("results.ref.trn", "results.hyp.trn", "results.ctm", "results.stm"),
    }


@pytest.mark.parametrize("processes", [1, 2])
def test_audio_that_cannot_be_read_is_named_and_older_results_stay(
    evaluate, manifest, tmp_path, processes
):
    utterances = read_manifest(manifest)
    utterances[3] = replace(utterances[3], audio_path=tmp_path / "gone.wav")
    write_manifest(tmp_path / "test.jsonl", utterances)
    output = tmp_path / "results.jsonl"
    older = [make_result("a", "GO", "GO", "levenshtein")]
    write_results(output, older)
    with pytest.raises(InputError, match=r"gone\.wav"):
        evaluate(
            *(f"output={output}", f"processes={processes}"),
            test=tmp_path / "test.jsonl",
        )
    assert read_results(output) == older


def test_files_for_nist_hold_what_the_results_hold(evaluate, tmp_path, capsys):
    output = evaluate("nist_files=true")
    again = write_nist_files(tmp_path / "again/results", read_results(output))
    assert len(again) == 4
    printed = capsys.readouterr().out
    for path in again:
        written = output.parent / path.name
        assert written.read_bytes() == path.read_bytes()
        assert str(written) in printed
    assert len(output.with_suffix(".ref.trn").read_text().splitlines()) == 17


def test_results_lie_beside_the_checkpoint_under_its_whole_name(
    checkpoint, manifest, tmp_path
):
    for name in ("run.v1.ckpt", "run.v2.ckpt"):
        copy = tmp_path / name
        copy.write_bytes(checkpoint.read_bytes())
        assert main([str(copy), "corpus=manifest", f"corpus.test={manifest}"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"run.{version}{end}"
        for version in ("v1", "v2")
        for end in (*(".ckpt", "-manifest-test.jsonl", "-manifest-test.summary.json"),)
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["decoder=prefix_beam"], "a-manifest-test-prefix_beam.jsonl"),
        (["word_map=timit39"], "a-manifest-test-timit39.jsonl"),
        (["decoder=prefix_beam", "LM"], "a-manifest-test-prefix_beam-letters-2.jsonl"),
    ],
)
def test_other_decoders_do_not_write_over_its_results(
    options, expected, checkpoint, manifest, tmp_path
):
    copy = tmp_path / "a.ckpt"
    copy.write_bytes(checkpoint.read_bytes())
    lm = tmp_path / "lm" / "letters-2.arpa"
    lm.parent.mkdir()
    write_arpa(lm, estimate_kneser_ney([["A", "B"], ["B"]], 2).ngrams)
    options = [f"decoder.lm={lm}" if each == "LM" else each for each in options]
    command = [str(copy), "corpus=manifest", f"corpus.test={manifest}"]
    assert main(command) == main([*command, *options]) == 0
    names = {path.name for path in tmp_path.glob("*.jsonl")}
    assert names == {"a-manifest-test.jsonl", expected}


def test_the_summary_is_strict_json_whatever_the_checkpoint_says(
    checkpoint, manifest, tmp_path
):
    content = read_checkpoint(checkpoint)
    content[DESCRIPTION_KEY]["metadata"]["val_wer"] = math.inf
    write_checkpoint(content, tmp_path / "a.ckpt")
    test = f"corpus.test={manifest}"
    assert main([str(tmp_path / "a.ckpt"), "corpus=manifest", test]) == 0
    assert read_summary(tmp_path / "a-manifest-test.jsonl")["num_utterances"] == 17


def test_a_checkpoint_whose_name_is_no_utf8_is_evaluated(
    checkpoint, manifest, tmp_path
):
    odd = tmp_path / "a\udcff.ckpt"
    odd.write_bytes(checkpoint.read_bytes())
    assert main([str(odd), "corpus=manifest", f"corpus.test={manifest}"]) == 0
    assert len(read_results(tmp_path / "a\udcff-manifest-test.jsonl")) == 17


@pytest.mark.parametrize("name", ["results", "results.json", "a.summary.json"])
def test_the_output_may_end_in_anything(evaluate, tmp_path, name):
    evaluate(f"output={tmp_path / name}")
    assert len(read_results(tmp_path / name)) == 17
    (summary,) = set(tmp_path.glob("*.summary.json")) - {tmp_path / name}
    assert json.loads(summary.read_text())["num_utterances"] == 17


@pytest.mark.parametrize("ending", [".ctm", ".stm", ".trn", ".ref.trn"])
def test_no_other_file_takes_the_place_of_the_results(evaluate, tmp_path, ending):
    output = tmp_path / f"results{ending}"
    evaluate(f"output={output}", "nist_files=true")
    assert len(read_results(output)) == 17


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("score=best", "'best', expected one of: levenshtein, nist"),
        ("resample=word", "resample is 'word', expected one of: utterance, speaker"),
        ("processes=0", "processes is 0, expected a whole number from 1"),
        ("processes=-2", "processes is -2, expected a whole number"),
    ],
)
def test_a_bad_option_is_refused_before_any_decoding(
    evaluate, no_decoding, option, message
):
    with pytest.raises(InputError, match=message):
        evaluate(option)


def test_speakers_that_are_not_known_are_missed_before_any_decoding(
    evaluate, no_decoding, manifest, tmp_path
):
    utterances = read_manifest(manifest)
    utterances[3] = replace(utterances[3], speaker=None)
    write_manifest(tmp_path / "test.jsonl", utterances)
    with pytest.raises(InputError, match=f"the speaker of {utterances[3].id} is not"):
        evaluate("resample=speaker", test=tmp_path / "test.jsonl")


@pytest.mark.parametrize("option", ["score=best", "processes=0", "resample=word"])
def test_a_refused_run_leaves_no_results_behind(evaluate, tmp_path, option):
    with pytest.raises(InputError):
        evaluate(option)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("number", [0, -2])
def test_threads_are_counted_from_one(evaluate, number):
    with pytest.raises(InputError, match=f"num_threads is {number}, expected a whole"):
        evaluate(f"num_threads={number}")
