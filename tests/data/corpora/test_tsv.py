import pytest

from speechgru.data.corpora import tsv
from speechgru.data.corpora.tsv import read_tsv
from speechgru.interfaces import InputError


def read(tmp_path, text, *columns):
    path = tmp_path / "a.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_tsv(path, columns))


def test_columns_are_found_by_name_whatever_stands_between_them(tmp_path):
    table = "path\tage\tsentence\na.mp3\t\tGo.\nb.mp3\tteens\tStop.\n"
    assert read(tmp_path, table, "sentence", "path") == [
        (2, ("Go.", "a.mp3")),
        (3, ("Stop.", "b.mp3")),
    ]


def test_a_single_quote_swallows_no_lines(tmp_path):
    table = 'path\tsentence\na\t"Go, he said.\nb\tStop" she said.\nc\t"All quoted."\n'
    assert [text for _, (text,) in read(tmp_path, table, "sentence")] == [
        '"Go, he said.',
        'Stop" she said.',
        '"All quoted."',
    ]


def test_quotes_that_a_program_has_doubled_are_read_as_they_were(tmp_path, caplog):
    caplog.set_level("INFO")
    table = 'path\tsentence\na\t"""Go"", he said."\nb\tStop.\nc\t"Ask ""him""."\n'
    assert [text for _, (text,) in read(tmp_path, table, "sentence")] == [
        '"Go", he said.',
        "Stop.",
        'Ask "him".',
    ]
    assert "its quotes are doubled" in caplog.text


def test_doubled_quotes_stay_where_others_are_not_doubled(tmp_path):
    table = 'path\tsentence\na\t"""Go"", he said."\nb\tStop" she said.\n'
    assert read(tmp_path, table, "sentence")[0][1] == ('"""Go"", he said."',)


def test_lines_end_with_line_feeds_only(tmp_path):
    table = "\ufeffpath\tsentence\r\na\tone\u2028two\x85three\r\n\r\nb\tfour"
    assert read(tmp_path, table, "path", "sentence") == [
        (2, ("a", "one\u2028two\x85three")),
        (4, ("b", "four")),
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "no column path, expected path, sentence; found"),
        ("Path\tsentence\n", "no column path, .* did you mean Path?"),
        ("path\tsentence\na\tb\tc\n", "a.tsv:2: 3 fields, expected 2 between tabs"),
        ("path\tsentence\na\n", "a.tsv:2: 1 fields, expected 2"),
        (b"path\tsentence\na\t\xff\n", "a.tsv: cannot be read .* a table in UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused_by_its_line(tmp_path, table, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, table, "path", "sentence")


def test_a_line_without_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(tsv, "LONGEST_LINE", 100)
    with pytest.raises(InputError, match=r"a.tsv:2: a line of 100 bytes or more"):
        read(tmp_path, "path\n" + 500 * "a", "path")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a.tsv: cannot be read .No such file"):
        list(read_tsv(tmp_path / "a.tsv", ["path"]))
