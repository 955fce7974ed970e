"""From text to a language model, its weights, and what is heard with it."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from speechgru.cli.align import main as align
from speechgru.cli.evaluate import main as evaluate
from speechgru.cli.lm import main as lm
from speechgru.cli.tune import main as tune
from speechgru.data.manifest import write_manifest
from speechgru.evaluation.tune_report import remark_edge
from speechgru.interfaces import InputError, Utterance
from speechgru.lm.arpa import read_arpa, write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.lm.ngram import NGramModel
from speechgru.lm.weights import SEARCH_WEIGHTS, read_weights
from speechgru.ranges import OptionError
from speechgru.score.results import read_results
from speechgru.score.summary import read_summary


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lm")


@pytest.fixture(scope="module")
def arpa(tones, trained, folder):
    path = folder / "tones.arpa"
    status = lm(
        [
            "corpus=manifest",
            *tones.overrides,
            f"checkpoint={trained.checkpoint}",
            "order=2",
            f"output={path}",
        ]
    )
    assert status == 0
    return path


def test_counts_the_training_transcripts_and_foresees_dev(arpa, tones, capsys):
    lm(["corpus=manifest", *tones.overrides, "order=2", f"output={arpa}"])
    printed = capsys.readouterr().out
    texts = [
        json.loads(line)["text"]
        for line in (tones.folder / "train.jsonl").read_text().splitlines()
    ]
    words = [word for text in texts for word in text.split()]
    assert f"61 sentences, {len(words)} words\n" in printed
    assert "held out: perplexity " in printed
    assert f"language model: {arpa}\n" in printed
    model = NGramModel(read_arpa(arpa))
    assert set(model.words) == {*words, "<s>", "</s>", "<unk>"}


def test_text_files_count_as_well_and_are_normalised(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("go on, now\r\n\nGo\n", encoding="utf-8-sig")
    (tmp_path / "b.txt").write_text("stop")
    assert lm(["a.txt", "b.txt", "order=1"]) == 0
    assert "3 sentences, 5 words" in capsys.readouterr().out
    model = NGramModel(read_arpa("lm/a-1-words.arpa"))
    assert {"GO", "ON", "NOW", "STOP"} < set(model.words)


def test_a_model_of_tokens_spells(tmp_path):
    (tmp_path / "a.txt").write_text("go on")
    output = tmp_path / "tokens.arpa"
    lm([str(tmp_path / "a.txt"), "unit=token", "order=3", f"output={output}"])
    model = NGramModel(read_arpa(output))
    assert set(model.words) == {*"GON", "<space>", "<s>", "</s>", "<unk>"}


@pytest.mark.parametrize(
    ("arguments", "error", "expected"),
    [
        ([], InputError, "there is no text"),
        (["nowhere.txt"], InputError, r"nowhere\.txt: cannot be read"),
        (["empty.txt"], InputError, "empty: no text, expected at least one sentence"),
        (["a.txt", "unit=letter"], InputError, "unit is 'letter', expected one of"),
        (["a.txt", "fold=1/2"], InputError, "fold is 1/2, but there is no corpus"),
        (
            ["a.txt", "order=0"],
            InputError,
            "order is 0, expected a whole number from 1",
        ),
        (["a.txt", "order=x"], OptionError, "order is 'x'"),
        (["a.txt", "text.alphabet=AB"], InputError, r"a\.txt:1: character 'G' is not"),
    ],
)
def test_impossible_wishes_are_refused(
    arguments, error, expected, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("go on")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(error, match=expected):
        lm(arguments)
    assert not list(tmp_path.rglob("*.arpa"))


@pytest.fixture(scope="module")
def tuned(arpa, tones, trained, folder):
    """The model with the weights beside it."""
    status = tune(
        [
            str(trained.checkpoint),
            "corpus=manifest",
            *tones.overrides,
            f"decoder.lm={arpa}",
            "decoder.beam_size=8",
            "lm_weights=[0.0,0.5]",
            "word_scores=[0.0,-50.0]",
            "beam_sizes=[2,8]",
        ]
    )
    assert status == 0
    return arpa


def test_tuning_keeps_the_best_of_all_that_was_tried(tuned, folder):
    record = json.loads((folder / "tones.prefix_beam.weights.json").read_text())
    tried = {
        (trial["lm_weight"], trial["word_score"], trial["beam_size"]): trial["edits"]
        for trial in record["trials"]
    }
    assert set(tried) == {
        *((lm, word, 8) for lm in (0.0, 0.5) for word in (0.0, -50.0)),
        (record["lm_weight"], record["word_score"], 2),
    }
    best = tried[record["lm_weight"], record["word_score"], 8]
    assert best == min(edits for (*_, size), edits in tried.items() if size == 8)
    # Who pays so much for a word says none.
    assert record["word_score"] == 0.0
    assert tried[0.0, -50.0, 8] > best
    assert (
        read_weights(tuned, "prefix_beam", SEARCH_WEIGHTS)["lm_weight"]
        == record["lm_weight"]
    )
    assert record["confidence_scale"] > 0
    assert (
        (folder / "tones.prefix_beam.weights.png").read_bytes().startswith(b"\x89PNG")
    )


def test_the_tuned_weights_give_the_rate_that_tuning_saw(
    tuned, tones, trained, folder, tmp_path, capsys
):
    output = tmp_path / "dev.jsonl"
    corpus = ["corpus=manifest", *tones.overrides, "split=dev", f"output={output}"]
    decoder = ["decoder=prefix_beam", f"decoder.lm={tuned}", "decoder.beam_size=8"]
    evaluate([str(trained.checkpoint), *corpus, *decoder])
    record = json.loads((folder / "tones.prefix_beam.weights.json").read_text())
    assert read_summary(output.with_name("dev.summary.json"))["words"][
        "rate"
    ] == pytest.approx(record["wer"])
    printed = capsys.readouterr().out
    assert "expected calibration error" in printed
    weights = {name: record[name] for name in ("lm_weight", "word_score")}
    for name, value in weights.items():
        assert f"{name}={value:g}" in printed
    decoder = json.loads(output.with_name("dev.summary.json").read_text())["decoder"]
    assert weights.items() <= decoder.items()
    for result in read_results(output):
        assert [word.text for word in result.words] == result.hypothesis.split()


@pytest.mark.skipif(find_spec("flashlight") is None, reason="needs flashlight-text")
def test_weights_that_a_decoder_lacks_are_not_tried(trained, tones, tmp_path, capsys):
    lm_path = tmp_path / "letters.arpa"
    texts = [["A", "B", "<space>", "C", "D"], ["D", "<space>", "A"]]
    write_arpa(lm_path, estimate_kneser_ney(texts, 2).ngrams)
    corpus = ["corpus=manifest", *tones.overrides]
    options = ["decoder=flashlight", f"decoder.lm={lm_path}", "decoder.beam_size=8"]
    grid = ["lm_weights=[0.0,0.1]", "beam_sizes=[8]"]
    assert tune([str(trained.checkpoint), *corpus, *options, *grid]) == 0
    assert "no word_score without a lexicon: it stays 0" in capsys.readouterr().out
    record = json.loads((tmp_path / "letters.flashlight.weights.json").read_text())
    assert {trial["word_score"] for trial in record["trials"]} == {0.0}


@pytest.mark.parametrize(
    ("best", "tried", "expected"),
    [
        (0.5, [0.1, 0.5, 1.0], ""),
        (1.0, [0.1, 0.5, 1.0], "; 1 is at the edge of lm_weights, try others beyond"),
        (0.1, [0.1], ""),
    ],
)
def test_a_best_value_at_the_edge_is_remarked(best, tried, expected):
    assert remark_edge(best, tried, "lm_weights").startswith(expected)
    assert bool(expected) == bool(remark_edge(best, tried, "lm_weights"))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["decoder=greedy"], "decoder.lm is not set"),
        ([], "decoder.lm is not set"),
        (
            ["decoder.lm=x.arpa", "lm_weights=[]"],
            r"lm_weights is \[\], expected a list of one",
        ),
        (["decoder.lm=nowhere.arpa"], r"nowhere\.arpa: cannot be read"),
    ],
)
def test_tuning_needs_a_model_and_something_to_try(overrides, expected, tones, trained):
    with pytest.raises(InputError, match=expected):
        tune([str(trained.checkpoint), "corpus=manifest", *tones.overrides, *overrides])


def test_a_known_text_is_aligned(tones, trained, tmp_path, capsys):
    record = json.loads((tones.folder / "test.jsonl").read_text().splitlines()[0])
    audio = str(tones.folder / record["audio_filepath"])
    assert (
        align([str(trained.checkpoint), audio, record["text"].lower(), "format=json"])
        == 0
    )
    aligned = json.loads(capsys.readouterr().out)
    assert aligned["text"] == record["text"]
    # The tones are 0.12 s long, with 0.04 s between them and 0.18 s between words.
    starts = [token["start"] for token in aligned["tokens"] if token["text"] != " "]
    said, time = [], 0.0
    for character in record["text"]:
        if character == " ":
            time += 0.14
        else:
            said.append(time)
            time += 0.16
    assert starts == pytest.approx(said, abs=0.1)
    (tmp_path / "said.txt").write_text(record["text"] + "\n")
    output = tmp_path / "said.TextGrid"
    align(
        [str(trained.checkpoint), audio, str(tmp_path / "said.txt"), f"output={output}"]
    )
    assert f'text = "{record["text"].split()[0]}"' in output.read_text()


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("AE", [], "character 'E' is not among the 6 tokens"),
        (" ", [], "holds nothing to align"),
        ("nowhere.txt", [], r"nowhere\.txt: no such file"),
        ("A" * 1000, [], r"wav: 1000 tokens cannot align with \d+ output frames"),
        (
            "A",
            ["format=praat"],
            "format is 'praat', expected one of: ctm, json, jsonl, srt, textgrid, tsv",
        ),
    ],
)
def test_what_cannot_be_aligned_is_refused(text, options, expected, tones, trained):
    audio = next((tones.folder / "wav").iterdir())
    with pytest.raises(InputError, match=expected):
        align([str(trained.checkpoint), str(audio), text, *options])


def test_a_text_that_was_not_said_is_doubted(tones, trained, capsys):
    record = json.loads((tones.folder / "test.jsonl").read_text().splitlines()[0])
    audio = str(tones.folder / record["audio_filepath"])
    align([str(trained.checkpoint), audio, record["text"]])
    assert "check that" not in capsys.readouterr().err
    letters = str.maketrans("ABCD", "BCDA")
    align([str(trained.checkpoint), audio, record["text"].translate(letters)])
    assert "check that they are what is said there" in capsys.readouterr().err


def test_texts_do_not_depend_on_the_batch_or_the_run(tuned, tones, trained, tmp_path):
    written = []
    for seconds in (60, 60, 1):
        output = tmp_path / f"{len(written)}.jsonl"
        evaluate(
            [
                str(trained.checkpoint),
                "corpus=manifest",
                *tones.overrides,
                "decoder=prefix_beam",
                f"decoder.lm={tuned}",
                f"batch_seconds={seconds}",
                f"output={output}",
            ]
        )
        written.append(read_results(output))
    assert written[0] == written[1]
    for one, other in zip(written[0], written[2], strict=True):
        assert one.hypothesis == other.hypothesis
        for word, same in zip(one.words, other.words, strict=True):
            assert (word.start, word.end) == (same.start, same.end)
            assert word.confidence == pytest.approx(same.confidence, abs=1e-3)


def test_what_the_tokens_cannot_spell_of_dev_does_not_cost_the_model(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    texts = {"train": ["ab a", "b a"], "dev": ["a b", "xyz"]}
    for split, some in texts.items():
        utterances = [
            Utterance(f"{split}{n}", Path("a.wav"), 1.0, text)
            for n, text in enumerate(some)
        ]
        write_manifest(f"{split}.jsonl", utterances)
    (tmp_path / "more.txt").write_text("a b a\n* * *\n---\n")
    splits = ["corpus.train=train.jsonl", "corpus.dev=dev.jsonl"]
    options = ["order=1", "output=lm.arpa", "text.alphabet=ABC "]
    assert lm(["more.txt", "corpus=manifest", *splits, *options]) == 0
    printed = capsys.readouterr().out
    assert "3 sentences, 7 words" in printed
    assert "left out: 2 texts without a word" in printed
    assert "held out: 1 of 2 texts hold what the tokens cannot spell" in printed
    assert read_arpa(tmp_path / "lm.arpa").order == 1
