import gzip
import math

import pytest

from speechgru.interfaces import InputError
from speechgru.lm.arpa import read_arpa, write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney

FILE = """made by hand

\\data\\
ngram 1=4
ngram 2=1

\\1-grams:
-1\t<unk>
-99\t<s>\t-0.5
-0.5\t</s>
-0.25\tÄ\t0.125

\\2-grams:
-0.75\t<s> Ä

\\end\\
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "lm.arpa"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_reads_natural_logarithms(path):
    ten = math.log(10)
    assert read_arpa(path) == {
        ("<unk>",): (pytest.approx(-ten), 0.0),
        ("<s>",): (-math.inf, pytest.approx(-0.5 * ten)),
        ("</s>",): (pytest.approx(-0.5 * ten), 0.0),
        ("Ä",): (pytest.approx(-0.25 * ten), pytest.approx(0.125 * ten)),
        ("<s>", "Ä"): (pytest.approx(-0.75 * ten), 0.0),
    }


def test_what_is_called_gz_is_compressed(sentences, tmp_path):
    ngrams = estimate_kneser_ney(sentences, 2).ngrams
    for name in ("lm.arpa", "lm.arpa.gz"):
        write_arpa(tmp_path / name, ngrams)
    packed = gzip.decompress((tmp_path / "lm.arpa.gz").read_bytes())
    assert packed == (tmp_path / "lm.arpa").read_bytes()
    assert list(read_arpa(tmp_path / "lm.arpa.gz")) == list(ngrams)


def test_a_shorter_ngram_that_is_missing_is_named_with_its_line(path):
    path.write_text(FILE.replace("-0.75\t<s> Ä", "-0.75\tÄ B"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_arpa(path)
    expected = f"{path}:14: the language model has the n-gram 'Ä B', but not 'B'; "
    assert str(caught.value).startswith(expected)
    assert "damaged" not in str(caught.value)


def test_what_is_written_is_read(sentences, tmp_path):
    ngrams = estimate_kneser_ney(sentences, 3).ngrams
    write_arpa(tmp_path / "new" / "lm.arpa", ngrams)
    again = read_arpa(tmp_path / "new" / "lm.arpa")
    assert list(again) == list(ngrams)
    for ngram, values in ngrams.items():
        assert again[ngram] == pytest.approx(values, abs=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("\\end\\", "", "is not a whole ARPA file"),
        (FILE, "", "is not a whole ARPA file"),
        ("ngram 1=4", "ngram 1=5", r"holds 4 1-grams, expected 5"),
        ("ngram 1=4", "ngram 1=x", r":4: is 'ngram 1=x', expected a count"),
        ("\\2-grams:", "\\two-grams:", r":13: .*expected a count"),
        ("Ä\t0.125", "Ä\tx", r":11: .*expected numbers at both ends"),
        ("-0.25\tÄ", "-0.25 x y\tÄ", r":11: .*expected a log-probability and 1 words"),
        ("-0.25\tÄ", "0.25\tÄ", r":11: .*expected a log-probability of at most 0"),
        ("-0.25\tÄ", "nan\tÄ", r":11: .*expected a log-probability of at most 0"),
        ("-0.25\tÄ", "-0.25\t<s>", r":11: .*expected an n-gram that is new"),
        ("Ä\t0.125", "Ä\t1e300", r":11: .*a backoff of at most 1000"),
        ("Ä\t0.125", "Ä\tinf", r":11: .*a backoff of at most 1000"),
        ("ngram 1=4", "ngram 1=" + "9" * 5000, r"expected a count of at most 18 dig"),
        (
            "ngram 1=4",
            "ngram 1=999999999999",
            r"4 1-grams, expected 999999999999",
        ),
        ("ngram 2=1\n", "", r"holds 1 2-grams, expected 0"),
        ("ngram 2=1", "ngram 3=1", r"holds 1 2-grams, expected 0"),
        ("ngram 2=1", "ngram 0=1", r":5: .*expected n-grams of 1 to 50 words"),
        ("\\2-grams:", "\\1000000-grams:", r":13: .*expected n-grams of 1 to 50 words"),
    ],
)
def test_a_broken_file_is_named_with_its_line(old, new, expected, path):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=expected) as caught:
        read_arpa(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_missing_or_binary_is_named(path, tmp_path):
    with pytest.raises(InputError, match=r"none\.arpa: cannot be read"):
        read_arpa(tmp_path / "none.arpa")
    path.write_bytes(b"mmap lm \xff\xfe\x00")
    with pytest.raises(InputError, match=r"expected an ARPA file in UTF-8"):
        read_arpa(path)


def test_what_gzip_has_compressed_is_read(path, tmp_path):
    packed = tmp_path / "lm.arpa.gz"
    packed.write_bytes(gzip.compress(FILE.encode()))
    assert read_arpa(packed) == read_arpa(path)
    packed.write_bytes(gzip.compress(FILE.encode())[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        read_arpa(packed)


def test_a_binary_of_kenlm_is_named(tmp_path):
    binary = tmp_path / "lm.bin"
    binary.write_bytes(b"mmap lm http://kheafield.com/code format version 5\n\0\xff")
    with pytest.raises(InputError, match="build_binary, expected an ARPA file"):
        read_arpa(binary)
