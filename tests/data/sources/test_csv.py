from pathlib import Path

import pytest
from data.sources.sounds import put

from speechgru.data.sources.csv import CsvCorpus
from speechgru.interfaces import InputError
from speechgru.ranges import OptionError


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, **options):
    return CsvCorpus("csv", str(path), None, None, **options).read("train")


def test_columns_are_guessed_and_said(tmp_path, capsys):
    put(tmp_path / "clips/a.wav", seconds=0.25)
    table = write(
        tmp_path / "train.tsv",
        'client_id\tpath\tsentence\tage\nann\tclips/a.wav\tsay "no\t30\n',
    )
    (utterance,) = read(table)
    assert utterance.id == "clips/a"
    assert utterance.audio_path == tmp_path / "clips/a.wav"
    assert utterance.duration == 0.25
    # In a TSV quotes are characters, also where nobody closes them.
    assert utterance.text == 'say "no'
    assert utterance.speaker == "ann"
    said = capsys.readouterr().err
    assert "audio from column 'path', text from column 'sentence'" in said
    assert "speaker from column 'client_id', no id" in said


def test_columns_are_named(tmp_path):
    put(tmp_path / "clips/a.wav")
    table = write(
        tmp_path / "train.csv",
        "\ufefffile,words,who,nr,from,length\r\n"
        '"a.wav","one, ""two""",ann,u1,0.5,1.5\r\n',
    )
    (utterance,) = read(
        table,
        audio="file",
        text="words",
        speaker="who",
        id="nr",
        offset="from",
        duration="length",
        audio_folder=str(tmp_path / "clips"),
    )
    assert utterance.id == "u1"
    assert utterance.text == 'one, "two"'
    assert utterance.speaker == "ann"
    assert utterance.audio_path == tmp_path / "clips/a.wav"
    assert (utterance.offset, utterance.duration, utterance.partial) == (0.5, 1.5, True)


def test_a_column_that_only_looks_like_one_is_told(tmp_path):
    for name in ("a", "b"):
        put(tmp_path / f"{name}.wav", seconds=0.1)
    text = "id,audio,text,duration\n7,a.wav,GO,100\n7,b.wav,GO,100\n"
    table = write(tmp_path / "a.csv", text)
    with pytest.raises(InputError, match="id '7' occurs twice"):
        read(table)
    utterances = read(table, id="none", duration="none")
    assert [(u.id, u.duration) for u in utterances] == [("a", 0.1), ("b", 0.1)]


def test_a_table_without_a_line_of_names(tmp_path):
    put(tmp_path / "a.wav")
    table = write(tmp_path / "metadata.csv", "a.wav|he said “no”, twice|x\n")
    (utterance,) = read(table, columns=["audio", "text", "normal"], delimiter="|")
    assert utterance.text == "he said “no”, twice"


def test_another_encoding_is_named_with_its_line_and_read_when_told(tmp_path):
    put(tmp_path / "a.wav")
    table = write(tmp_path / "a.csv", "audio,text\na.wav,été\n", "latin-1")
    with pytest.raises(InputError, match=r"a\.csv:2: not UTF-8 text \(byte 6 .* 0xe9"):
        read(table)
    assert read(table, encoding="latin-1")[0].text == "été"
    with pytest.raises(InputError, match="is UTF-16 text"):
        read(write(tmp_path / "b.csv", "audio,text\na.wav,x\n", "utf-16"))


def test_a_quote_that_is_not_closed_names_its_line_and_eats_no_other(tmp_path):
    for name in ("a", "b", "c"):
        put(tmp_path / f"{name}.wav")
    text = 'audio,text\na.wav,GO\nb.wav,"say no\nc.wav,ON"\n'
    table = write(tmp_path / "a.csv", text)
    with pytest.raises(InputError, match=r"a\.csv:3: not a line .*corpus.quotes=false"):
        read(table)
    texts = [u.text for u in read(table, quotes=False)]
    assert texts == ["GO", '"say no', 'ON"']


def test_mistakes_are_listed_with_their_lines(tmp_path):
    put(tmp_path / "a.wav")
    table = write(
        tmp_path / "a.csv",
        "audio,text,duration\na.wav,GO\n,GO,1\na.wav,GO,long\nb.wav,GO,\n",
    )
    with pytest.raises(InputError) as error:
        read(table)
    message = str(error.value)
    assert "a.csv:2: 2 columns, expected 3" in message
    assert "a.csv:3: column 'audio' is empty" in message
    assert "a.csv:4: column 'duration' is \"long\", expected a number" in message
    assert "a.csv:5: " in message  # without a duration the file is asked
    assert "b.wav: cannot be opened" in message


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        ("a,b", {}, r"none of its columns \(a, b\) looks like the audio"),
        ("audio,b", {}, "looks like the text; set corpus.text=COLUMN"),
        ("audio,text", {"text": "b"}, "has no column 'b', expected one of: audio"),
        ("audio,text,text", {}, "a column occurs twice"),
    ],
)
def test_columns_that_are_not_there_are_refused(tmp_path, header, options, message):
    with pytest.raises(InputError, match=message):
        read(write(tmp_path / "a.csv", f"{header}\n"), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "ab"}, "delimiter is 'ab', expected one character"),
        ({"encoding": "utf-16"}, "encoding is 'utf-16'"),
        ({"encoding": "no-such"}, "encoding is 'no-such'"),
        ({"columns": "audio"}, "columns is 'audio', expected a list"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        CsvCorpus("csv", "a.csv", None, None, **options)


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    put(tmp_path / "a.wav")
    table = write(tmp_path / "a.csv", "audio,text\na.wav,GO\n")
    corpus = CsvCorpus("csv", str(table), None, None)
    translate = corpus.translate

    def meanwhile(path, reading):
        yield from translate(path, reading)
        with table.open("a") as file:
            file.write("a.wav,ON\n")

    monkeypatch.setattr(corpus, "translate", meanwhile)
    with pytest.raises(InputError, match="changed while it was read"):
        corpus.read("train")
    monkeypatch.undo()


def test_an_offset_behind_the_end_is_named(tmp_path):
    put(tmp_path / "a.wav", seconds=0.1)
    table = write(tmp_path / "a.csv", "audio,text,offset\na.wav,GO,0.5\n")
    with pytest.raises(InputError, match=r"a#0\.5: -0\.4 s are left of the recording"):
        read(table)


def test_pickled_data_is_refused_unread(tmp_path):
    path = tmp_path / "train.pkl"
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match="pickled data or arrays"):
        read(path)


def test_clips_that_lie_elsewhere_are_named_with_the_option_for_that(tmp_path):
    put(tmp_path / "clips/a.wav")
    table = write(tmp_path / "train.tsv", "path\tsentence\na.wav\tA\n")
    folder = f"set corpus.audio_folder, if paths do not begin in {tmp_path}$"
    with pytest.raises(InputError, match=folder):
        read(table)
    assert len(read(table, audio_folder=str(tmp_path / "clips"))) == 1
    # An absolute path begins nowhere.
    table = write(tmp_path / "train.tsv", f"path\tsentence\n{tmp_path}/b.wav\tA\n")
    with pytest.raises(InputError, match=r"drop it$"):
        read(table)
