import pytest

from speechgru.data.corpora import timit_phones
from speechgru.data.corpora.timit_phones import map_phone
from speechgru.factory import build_word_map
from speechgru.interfaces import InputError, Span
from speechgru.options import choose
from speechgru.ranges import OptionError
from speechgru.score.calibration import judge_words
from speechgru.score.counts import ErrorCounts
from speechgru.score.results import make_result, read_results, write_results
from speechgru.score.summary import summarise
from speechgru.score.word_map import WordMap, map_results

MAP = WordMap("few", {"zh": "sh", "cl": "sil", "q": None})


def make(reference, hypothesis, **known):
    return make_result("a", reference, hypothesis, "levenshtein", **known)


def test_words_that_count_as_one_are_no_error():
    before = make("sil sh ih q cl", "cl zh iy sil")
    assert before.word_errors == ErrorCounts(substitutions=4, deletions=1)
    (after,) = map_results([before], MAP)
    assert (after.reference, after.hypothesis) == ("sil sh ih sil", "sil sh iy sil")
    assert after.word_errors == ErrorCounts(substitutions=1, hits=3)
    assert after.unmapped == (before.reference, before.hypothesis)
    assert summarise([after]).mapped_by == "few"


def test_times_and_confidences_stay_with_their_words():
    words = tuple(
        Span(text, start, start + 0.5, confidence)
        for text, start, confidence in (("q", 0, 0.1), ("zh", 1, 0.6), ("ih", 2, 0.9))
    )
    before = make("sh eh", "q zh ih", words=words, confidence=0.5)
    (after,) = map_results([before], MAP)
    assert after.words == (Span("sh", 1, 1.5, 0.6), Span("ih", 2, 2.5, 0.9))
    assert judge_words(after) == [(0.6, True), (0.9, False)]
    (silent,) = map_results([make("sh", "q", confidence=0.5)], MAP)
    assert (silent.hypothesis, silent.confidence) == ("", None)


def test_mapping_again_changes_nothing_and_another_map_is_refused():
    once = map_results([make("zh q", "sh")], MAP)
    assert map_results(once, MAP) == once
    with pytest.raises(InputError, match=r"a: was mapped by few, expected .* by other"):
        map_results(once, WordMap("other", {"ih": "iy"}))
    with pytest.raises(InputError, match="mapped by few and by no map, expected one"):
        summarise([*once, make("zh", "sh")])


def test_no_map_leaves_results_as_they_are():
    results = [make("zh q", "sh")]
    assert map_results(results, None) == results


def test_mapped_results_are_written_and_read(tmp_path):
    results = map_results([make("zh q", "sh")], MAP)
    write_results(tmp_path / "r.jsonl", results)
    assert read_results(tmp_path / "r.jsonl") == results


def test_a_map_of_other_words_is_warned_of(caplog):
    map_results([make("ZH Q", "SH")], MAP)
    assert "none of the words of few was said or heard, e.g. zh" in caplog.text
    caplog.clear()
    map_results(map_results([make("zh q", "sh")], MAP), MAP)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "words is {}, expected some words"),
        ({"a b": "c"}, "words has 'a b', expected one word each"),
        ({"a": "b c"}, "words.a is 'b c', expected one word"),
        ({"a": 1}, "words.a is 1, expected one word, in quotes"),
        ({"a": "b", "b": "c"}, "words.a is 'b', which counts as 'c', expected that"),
        ({"a": "b", "b": None}, "words.a is 'b', which counts as None, expected that"),
    ],
)
def test_what_is_no_map_is_refused(words, message):
    with pytest.raises(OptionError, match=message):
        WordMap("odd", words)
    with pytest.raises(OptionError, match="name is empty"):
        WordMap("", {"a": "b"})


def test_a_word_may_stand_for_itself():
    assert WordMap("same", {"b": "b", "a": "b"})("a b c") == "b b c"


@pytest.mark.parametrize("size", [60, 48, 39])
def test_phones_of_timit_are_scored_as_those_of_the_paper(size):
    word_map = build_word_map(choose("word_map", "timit39"))
    for phone in timit_phones._TO_48:
        trained = map_phone(phone, size)
        assert word_map(trained) == map_phone(phone, 39)
    assert word_map("q") == ""
