"""The command that prints tables of errors."""

import codecs
import gzip
import json
import shutil

import pytest

from speechgru.cli.errors import main
from speechgru.files import write_json_lines
from speechgru.interfaces import InputError
from speechgru.options import ErrorsOptions, choose
from speechgru.report.errors import find_errors

HEARD = [
    ("a", "ann", "A B", "A C"),
    ("b", "bob", "A D|D", "A"),
    ("c", "bob", "B", "B"),
]


@pytest.fixture
def run(tmp_path, checkpoint):
    """A run folder with a model, its data and results."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(checkpoint, folder / "best.ckpt")
    (folder / "config.yaml").write_text("{}\n")
    write_json_lines(
        folder / "best-tones-test.jsonl",
        [
            {"id": id, "speaker": speaker, "reference": said, "hypothesis": heard}
            for id, speaker, said, heard in HEARD
        ],
    )
    summary = {"rate": 0.4, "low": 0.1, "high": 0.6}
    described = {"corpus": "tones", "split": "test", "checkpoint": "best.ckpt"}
    (folder / "best-tones-test.summary.json").write_text(
        json.dumps({**described, "words": summary})
    )
    write_json_lines(
        folder / "data.jsonl",
        [
            # The model makes capitals of it.
            {"split": "train", "id": "x", "text": "a a A"},
            {"split": "train", "id": "y", "text": "A A"},
            {"split": "dev", "id": "z", "text": "D B B"},
        ],
    )
    return folder


def test_tables_are_markdown(run, capsys):
    assert main([str(run)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("tones test: 3 utterances, WER 40.00 % [")
    assert "; 1 words taken for others, 1 lost, 0 invented\n" in out
    assert (
        "| in training | words | not heard, % | 95 % |\n| --- | --- | --- | --- |"
        in out
    )
    assert "\n| 0 | 3 | 66.67 | [" in out
    assert "\n| 5-9 | 2 | 0.00 | [0.00, 0.00] |\n" in out
    assert (
        "\n3 words said, 60.00 %, never occur in training (2 different ones): " in out
    )
    assert "\n| 1-2 | 5 | 40.00 | [" in out
    assert out.index("\n| ann | 2 | 50.00 |") < out.index("\n| bob | 3 | 33.33 |")
    assert "### Words confused most: 2 of 2 kinds, 2 errors" in out
    assert "\n| D\\|D | (nothing) | 1 |\n" in out
    assert "\n| (space) | (nothing) | 1 |\n" in out


def test_confusions_are_as_many_as_wanted(run, capsys):
    main([str(run), "show=1"])
    assert "### Words confused most: 1 of 2 kinds, 2 errors" in capsys.readouterr().out
    main([str(run), "show=0"])
    assert "confused" not in capsys.readouterr().out


def test_json_says_the_same(run, capsys):
    main([str(run / "best-tones-test.jsonl"), "format=json"])
    record = json.loads(capsys.readouterr().out)
    assert record["unseen"]["num_words"] == 3
    assert record["words"]["rate"] == 0.4
    assert record["words_confused"]["most"] == [["B", "C", 1], ["D|D", None, 1]]


def test_another_text_may_be_that_of_training(run, tmp_path, capsys):
    write_json_lines(tmp_path / "m.jsonl", [{"id": "x", "text": "a b d|d"}])
    main([str(run), f"train={tmp_path / 'm.jsonl'}"])
    out = capsys.readouterr().out
    # The model has no sign for D|D, which is no word of it, then.
    assert "\n1 words said, 20.00 %, never occur in training" in out


def test_a_manifest_of_training_may_be_compressed_or_have_a_mark(run, tmp_path, capsys):
    line = b'{"id": "x", "text": "a b d|d"}\n'
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(line))
    (tmp_path / "mark.jsonl").write_bytes(codecs.BOM_UTF8 + line)
    for name in ("m.jsonl.gz", "mark.jsonl"):
        main([str(run), f"train={tmp_path / name}"])
        assert "\n1 words said, 20.00 %, never occur" in capsys.readouterr().out
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(line)[:-9])
    with pytest.raises(InputError, match=r"cut\.jsonl\.gz: cannot be read"):
        main([str(run), f"train={tmp_path / 'cut.jsonl.gz'}"])


def test_results_of_elsewhere_have_no_training(run, tmp_path, capsys):
    alone = shutil.copy(run / "best-tones-test.jsonl", tmp_path / "alone.jsonl")
    main([str(alone)])
    out = capsys.readouterr().out
    assert out.startswith("alone: 3 utterances")
    assert "in training" not in out


def test_words_count_as_others_in_training_too(run):
    write_json_lines(run / "data.jsonl", [{"text": "cl ax"}])
    results = run / "best-tones-test.jsonl"
    write_json_lines(results, [{"id": "a", "reference": "sil ah", "hypothesis": "sil"}])
    (run / "best.ckpt").unlink()
    options = ErrorsOptions(word_map=choose("word_map", "timit39"))
    assert find_errors(run, options).breakdown.unseen.num_words == 0
    assert find_errors(run).breakdown.unseen.num_words == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"has no words, expected the texts of training"),
        ('{"text": 3}\n', r"m.jsonl:1: text is 3, expected a string"),
        ("a b c\n", r"m.jsonl:1: .*expected a line of a manifest"),
    ],
)
def test_what_is_no_manifest_is_named(run, tmp_path, content, message):
    path = tmp_path / "m.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        main([str(run), f"train={path}"])
    path.unlink()
    with pytest.raises(InputError, match=r"m.jsonl: cannot be read"):
        main([str(run), f"train={path}"])


def test_one_of_several_results_must_be_named(run):
    for end in (".jsonl", ".summary.json"):
        shutil.copy(run / f"best-tones-test{end}", run / f"other{end}")
    with pytest.raises(InputError, match=r"best-tones-test.jsonl, other.jsonl, expect"):
        main([str(run)])
