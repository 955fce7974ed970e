"""Where the files of an alignment go."""

from pathlib import Path

import pytest

from speechgru.interfaces import InputError
from speechgru.transcribe.aligning import plan_files
from speechgru.transcribe.format_table import find_formats


def plan(output, formats=("srt",), name="in/a.wav", overwrite=False):
    return plan_files(name, output, find_formats(formats), overwrite)


def test_files_go_where_those_of_transcribe_would(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    assert plan(None) == []
    assert plan("new/x.txt") == [Path("new/x.txt")]
    assert plan("new/") == [Path("new/a.srt")]
    assert plan("old") == [Path("old/a.srt")]
    assert plan("new", ("srt", "json")) == [Path("new/a.srt"), Path("new/a.json")]
    assert plan("beside") == [Path("in/a.srt")]
    assert plan("new/", name="-") == [Path("new/stdin.srt")]
    with pytest.raises(InputError, match="there are 2 formats, but output is not set"):
        plan(None, ("srt", "json"))


def test_a_file_is_replaced_on_demand_only(tmp_path):
    path = tmp_path / "a.srt"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"a.srt: exists already, expected a new file"):
        plan(f"{tmp_path}/")
    with pytest.raises(InputError, match=r"a.srt: exists already, expected a new file"):
        plan(str(path))
    assert plan(f"{tmp_path}/", overwrite=True) == [path]
    assert plan("/dev/null") == [Path("/dev/null")]


def test_a_file_called_as_of_another_format_is_refused():
    with pytest.raises(
        InputError,
        match=r"output is x.ctm, but format is srt, .* ends in .srt; set format=ctm",
    ):
        plan("x.ctm")
