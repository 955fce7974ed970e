"""The command that compares systems."""

import contextlib
import io
import json
from pathlib import Path

import pytest

from speechgru.cli.compare import main
from speechgru.cli.main import UsageError
from speechgru.files import write_json_lines
from speechgru.interfaces import InputError
from speechgru.ranges import OptionError
from speechgru.report.comparison import compare_systems
from speechgru.score.compare import compare
from speechgru.score.results import read_results

SAID = ["go left", "go right now", "stop", "turn around at the end", "left"]
HEARD = {
    "first": ["go left", "go write now", "stop", "turn round the end", "left"],
    "second": ["go left", "go right now", "stop", "turn around at end", "lift"],
    "third": ["go", "go", "go", "go", "go"],
}


@pytest.fixture
def systems(tmp_path) -> dict[str, str]:
    """Path of each system's results."""
    paths = {}
    for name, heard in HEARD.items():
        paths[name] = str(tmp_path / f"{name}.jsonl")
        write_json_lines(
            paths[name],
            (
                {"id": f"u{index}", "reference": said, "hypothesis": its}
                for index, (said, its) in enumerate(zip(SAID, heard, strict=True))
            ),
        )
    return paths


def test_two_systems_are_told_apart(systems, capsys):
    assert main([systems["first"], systems["second"]]) == 0
    out = capsys.readouterr().out
    first, second = (read_results(systems[name]) for name in ("first", "second"))
    comparison = compare(first, second)
    assert out.startswith(
        "5 utterances, 12 words aligned by levenshtein; 95 % intervals by bootstrap "
        "over utterances\n"
    )
    assert f"A  {systems['first']}  " in out
    bounds = f"[{100 * comparison.low:+.2f}, {100 * comparison.high:+.2f}]"
    assert f"\nB - A: WER -8.33 points {bounds}; B is better in " in out
    assert "7 right in both, 2 only in A, 3 only in B, 0 in neither" in out
    assert "\n  only in A: the 1, left 1\n" in out
    assert "\n  only in B: right 1, around 1, at 1\n" in out
    assert (
        "\n  u1\n    said        go right now\n"
        "    A   1 edits go write now\n    B   0 edits go right now\n"
    ) in out
    # Alike in edits, or the same: not listed.
    assert "u0" not in out


def test_the_largest_differences_come_first_and_the_rest_is_counted(systems, capsys):
    main([systems["first"], systems["third"], "show=1"])
    out = capsys.readouterr().out
    assert "\n  u3\n" in out
    assert "\n  u1\n" not in out
    assert "and 4 more utterances that differ in edits; show=N shows more" in out
    assert "only in A: " in out
    assert " other words" in out


def test_words_are_mapped_before_systems_are_compared(tmp_path, capsys):
    paths = []
    for name, said, its in (
        ("many", "cl ix n", "vcl ix m"),
        ("few", "sil ih n", "sil ih n"),
    ):
        paths.append(str(tmp_path / f"{name}.jsonl"))
        write_json_lines(paths[-1], [{"id": "a", "reference": said, "hypothesis": its}])
    with pytest.raises(InputError, match="the reference of a is"):
        main(paths)
    assert main([*paths, "word_map=timit39"]) == 0
    out = capsys.readouterr().out
    assert "1 utterances, 3 words mapped by timit39, aligned by levenshtein" in out
    assert "2 right in both, 0 only in A, 1 only in B" in out


def test_nothing_is_shown_on_request(systems, capsys):
    main([systems["first"], systems["second"], "show=0"])
    out = capsys.readouterr().out
    assert "only in A:" not in out
    assert "\n  u1\n" not in out


def test_of_three_systems_every_pair_is_compared_and_corrected(
    systems, tmp_path, capsys
):
    output = tmp_path / "all.json"
    main([*systems.values(), f"output={output}"])
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if ": WER " in line] == [
        "B - A",
        "C - A",
        "C - B",
    ]
    assert "by Holm for 3 pairs" in out
    record = json.loads(output.read_text())
    assert [pair["first"] + pair["second"] for pair in record["pairs"]] == [
        "AB",
        "AC",
        "BC",
    ]
    assert record["systems"]["C"]["path"] == systems["third"]
    assert record["systems"]["B"]["words"]["rate"] == pytest.approx(2 / 12)
    pair = record["pairs"][0]
    assert pair["difference"] == pytest.approx(-1 / 12)
    assert pair["only_second"] == {"right": 1, "around": 1, "at": 1}
    assert pair["differing"][0] == {
        "id": "u1",
        "reference": "go right now",
        "first": "go write now",
        "second": "go right now",
        "first_edits": 1,
        "second_edits": 0,
    }
    tested = [p["matched_pairs"] for p in record["pairs"]]
    assert all(test["p_holm"] is None or test["p_holm"] >= test["p"] for test in tested)
    assert any(test["p_holm"] is not None for test in tested)


def test_the_verdict_follows_the_test(tmp_path, capsys):
    paths = [str(tmp_path / f"{name}.jsonl") for name in ("good", "bad")]
    for path, errs in zip(paths, (False, True), strict=True):
        write_json_lines(
            path,
            (
                {
                    "id": f"u{index}",
                    "reference": "a b c d",
                    "hypothesis": ("a x y d", "a x c d", "a b c d")[min(index % 4, 2)]
                    if errs
                    else "a b c d",
                }
                for index in range(40)
            ),
        )
    main(paths)
    assert ": A is better at the level of 5%\n" in capsys.readouterr().out
    main(paths[::-1])
    assert ": B is better at the level of 5%\n" in capsys.readouterr().out


def test_results_are_aligned_anew_on_request(systems, capsys):
    main([systems["first"], systems["second"], "score=nist"])
    assert "12 words aligned by nist" in capsys.readouterr().out
    with pytest.raises(InputError, match="expected one of: levenshtein, nist"):
        main([systems["first"], systems["second"], "score=sclite"])


def test_what_cannot_be_compared_is_refused(systems, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "u0", "reference": "go", "hypothesis": "go"}\n')
    with pytest.raises(InputError, match=r"other.jsonl"):
        main([systems["first"], str(other)])
    with pytest.raises(InputError, match="cannot be read"):
        main([systems["first"], str(tmp_path / "missing.jsonl")])
    with pytest.raises(OptionError, match="is given twice"):
        main([systems["first"], systems["first"]])
    with pytest.raises(UsageError, match="RESULTS"):
        main([systems["first"]])


@pytest.mark.parametrize("detour", ["", "./", "folder/../"])
def test_results_are_not_overwritten(systems, tmp_path, monkeypatch, detour):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    before = Path(systems["second"]).read_bytes()
    with pytest.raises(OptionError, match="which is to be compared; name another"):
        main([systems["first"], "second.jsonl", f"output={detour}second.jsonl"])
    assert Path(systems["second"]).read_bytes() == before


def test_systems_are_compared_from_python_without_a_word(systems, capsys):
    compared = compare_systems([systems["first"], systems["second"]])
    (pair,) = compared.pairs
    assert (pair.first.path, pair.second.path) == (systems["first"], systems["second"])
    assert pair.comparison.difference == pytest.approx(-1 / 12)
    assert pair.differing()[0][0].id == "u1"
    assert capsys.readouterr().out == ""
    with pytest.raises(OptionError, match="1 systems, expected 2 to 26"):
        compare_systems([systems["first"]])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("show=-1", "show is -1, expected a whole number from 0"),
        ("resample=word", "expected one of: utterance, speaker"),
        ("resample=speaker", "the speaker of u0 is not known"),
    ],
)
def test_wrong_options_are_named(systems, option, message):
    with pytest.raises(InputError, match=message):
        main([systems["first"], systems["second"], option])


def test_texts_of_another_form_are_told(systems, tmp_path, capsys):
    other = tmp_path / "other.jsonl"
    records = [
        {"id": f"u{index}", "reference": said, "hypothesis": f"{its.title()}."}
        for index, (said, its) in enumerate(zip(SAID, HEARD["second"], strict=True))
    ]
    write_json_lines(other, records)
    main([systems["first"], systems["second"], str(other)])
    out = capsys.readouterr().out
    assert "\nC: of its 12 word errors 10 are of case or punctuation: " in out
    assert "without both its WER is 16.67 %" in out
    assert "\nA: of its" not in out
    for record in records:
        record["reference"] = record["reference"].upper()
    write_json_lines(other, records)
    with pytest.raises(InputError, match="differ in case or punctuation alone"):
        main([systems["first"], str(other)])


def test_results_in_utf_16_are_named(systems):
    path = Path(systems["first"])
    path.write_text(path.read_text(), encoding="utf-16")
    with pytest.raises(InputError, match="is UTF-16 text, expected UTF-8; save"):
        main([systems["first"], systems["second"]])


def test_everything_is_written_before_anything_is_printed(systems, tmp_path):
    output = tmp_path / "all.json"
    closed = io.StringIO()
    closed.close()
    with contextlib.redirect_stdout(closed), pytest.raises(ValueError, match="closed"):
        main([systems["first"], systems["second"], f"output={output}"])
    assert set(json.loads(output.read_text())["systems"]) == {"A", "B"}


def test_ids_and_paths_stay_on_their_lines(tmp_path, capsys):
    paths = [tmp_path / "a\nb.jsonl", tmp_path / "c\x1b[31m.jsonl"]
    for path, heard in zip(paths, ("go", "no"), strict=True):
        write_json_lines(path, [{"id": "u\n1", "reference": "go", "hypothesis": heard}])
    assert main([str(path) for path in paths]) == 0
    out = capsys.readouterr().out
    assert "a\\nb.jsonl" in out
    assert "c\\x1b[31m.jsonl" in out
    assert "\n  u\\n1\n" in out
