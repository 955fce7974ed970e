import numpy as np
import pytest

from speechgru.interfaces import InputError
from speechgru.lm.arpa import write_arpa
from speechgru.lm.binary import MAGIC, read_binary, write_binary
from speechgru.lm.files import read_table
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.lm.ngram import NGramModel
from speechgru.lm.table import NGramTable


@pytest.fixture
def ngrams(sentences):
    return estimate_kneser_ney(sentences, 3).ngrams


@pytest.fixture
def path(ngrams, tmp_path):
    path = tmp_path / "lm.ngrams"
    write_binary(path, ngrams)
    return path


def test_what_is_written_is_opened(ngrams, path, sentences):
    again = read_binary(path)
    assert list(again.items()) == list(ngrams.items())
    assert isinstance(again.node_keys, np.memmap)
    models = [NGramModel(table) for table in (ngrams, again)]
    for words in sentences[:20]:
        ours, theirs = (model.score_sentence([*words, "new"]) for model in models)
        assert ours == theirs


def test_either_form_is_told_by_its_beginning(ngrams, path, tmp_path):
    write_arpa(tmp_path / "lm.arpa", ngrams)
    assert set(read_table(tmp_path / "lm.arpa")) == set(read_table(path))
    path.rename(tmp_path / "other.arpa")
    assert read_table(tmp_path / "other.arpa") == ngrams


def test_a_file_is_never_written_on(path):
    before = path.read_bytes()
    read_binary(path).log_probs[:] = 1.0
    assert path.read_bytes() == before


def change(ngrams, name, place, value):
    """The table with one wrong number."""
    names = ("node_keys", "log_probs", "backoffs", "shorter")
    arrays = {each: getattr(ngrams, each).copy() for each in names}
    arrays[name][place] = value
    return NGramTable(ngrams.words, ngrams.ends, **arrays)


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        ("node_keys", 3, 77, "its words are not in order"),
        ("node_keys", -1, 0, "its 3-grams are not in order"),
        ("node_keys", -1, 1 << 60, "its 3-grams are not in order"),
        ("shorter", -1, -5, "its 3-grams end in none"),
        ("shorter", 60, 60, "its 2-grams end in none"),
        ("log_probs", 9, 0.5, "its 1-grams have values that are no logarithms"),
        ("log_probs", 9, np.nan, "its 1-grams have values that are no logarithms"),
        ("backoffs", 9, np.inf, "its 1-grams have values that are no logarithms"),
    ],
)
def test_a_wrong_number_is_found(name, place, value, expected, ngrams, path):
    write_binary(path, change(ngrams, name, place, value))
    with pytest.raises(InputError, match=f"no whole file of n-grams .{expected}"):
        read_binary(path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (MAGIC, b"speechgru", "does not begin with"),
        (b'"ends": [1', b'"ends": [9', "not in order"),
        (b'"ends": [1', b'"ends": [-1', "no count"),
        (b'"bytes_of_words": ', b'"bytes_of_words": 9999999', "no count"),
        (b'"ends"', b'"end"', "'ends'"),
        (b"{", b"[" * 60_000, "no whole file"),
        (b"\nw1\n", b"\nw2\n", "some of them perhaps twice"),
    ],
)
def test_a_damaged_head_is_refused(old, new, expected, path):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    with pytest.raises(InputError, match=expected):
        read_binary(path)


def test_what_is_cut_off_or_missing_is_refused(path, tmp_path):
    content = path.read_bytes()
    for size in (0, len(MAGIC), len(content) // 2, len(content) - 4):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match="no whole file of n-grams"):
            read_binary(path)
    with pytest.raises(InputError, match="No such file"):
        read_binary(tmp_path / "none.ngrams")
