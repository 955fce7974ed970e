import os

import pytest

from speechgru.interfaces import InputError
from speechgru.transcribe.inputs import Input, list_inputs, place_of
from speechgru.transcribe.output import plan_output
from speechgru.transcribe.transcript import Failure


def inputs(*places: str) -> list[Input]:
    return [Input(f"in/{place}", place) for place in places]


def test_one_file_takes_all_as_they_come(tmp_path):
    output = tmp_path / "new/all.txt"
    some = inputs("a.wav", "b.wav")
    write = plan_output(str(output), "text", some)
    assert not output.exists()  # what fails before the first leaves nothing
    write(some[0], "A\n")
    assert output.read_text() == "A\n"
    write(some[1], "É\n")
    assert output.read_bytes() == "A\nÉ\n".encode()


def test_a_folder_takes_a_file_each_and_keeps_the_folders(tmp_path):
    some = inputs("day1/a.wav", "day2/a.wav", "b.v2.flac")
    write = plan_output(f"{tmp_path}/out/", "textgrid", some)
    for each in some:
        write(each, each.place)
    assert (tmp_path / "out/day1/a.TextGrid").read_text() == "day1/a.wav"
    assert (tmp_path / "out/day2/a.TextGrid").read_text() == "day2/a.wav"
    assert (tmp_path / "out/b.v2.TextGrid").read_text() == "b.v2.flac"


def test_a_folder_that_exists_needs_no_slash(tmp_path):
    [one] = some = inputs("a.wav")
    plan_output(str(tmp_path), "srt", some)(one, "")
    assert os.listdir(tmp_path) == ["a.srt"]


def test_names_that_collide_are_told_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match=r"in/a.wav and in/a.flac: both would be wri"):
        plan_output(f"{tmp_path}/out/", "json", inputs("a.wav", "a.flac"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("output", ["out/", "out/a.txt"])
def test_no_file_is_replaced(tmp_path, output, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.txt").write_text("mine")
    with pytest.raises(InputError, match=r"out/a.txt: exists already, expected a new"):
        plan_output(output, "text", inputs("a.wav"))
    assert (tmp_path / "out/a.txt").read_text() == "mine"


@pytest.mark.parametrize("output", [None, "all.srt"])
def test_several_recordings_need_a_format_that_holds_them(output):
    with pytest.raises(InputError, match=r"format=srt holds one .* set output=FOLDER/"):
        plan_output(output, "srt", inputs("a.wav", "b.wav"))
    # One that cannot be read is no second recording.
    failure = Input(Failure("b.wav", "b.wav: no such file"), "b.wav")
    plan_output(output, "srt", [*inputs("a.wav"), failure])


def test_places_are_below_what_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("talks/day1/a.wav", "talks/day2/b.wav"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    def places(*names: str) -> list[str]:
        return [each.place for each in list_inputs(names)]

    assert places("talks") == ["day1/a.wav", "day2/b.wav"]
    assert places("talks/*/*.wav") == ["day1/a.wav", "day2/b.wav"]
    assert places(f"{tmp_path}/talks/d*") == ["day1/a.wav", "day2/b.wav"]
    assert places("talks/day2/b.wav") == ["b.wav"]
    assert place_of("-", b"RIFF") == "stdin"
