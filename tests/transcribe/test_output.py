"""Where transcripts go; nothing else is ever lost, and what is done is known."""

import errno
import json
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from speechgru.interfaces import InputError, Span
from speechgru.options import TranscribeOptions
from speechgru.transcribe import folder as folder_module
from speechgru.transcribe import one_file as one_file_module
from speechgru.transcribe import record as record_module
from speechgru.transcribe.inputs import Input, list_inputs, place_of
from speechgru.transcribe.open_files import allow_open_files
from speechgru.transcribe.output import open_output
from speechgru.transcribe.transcript import Failure, Transcript


class Bench:
    """Recordings, a checkpoint, and one process after the other that transcribes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.checkpoint = home / "a.ckpt"
        self.checkpoint.write_bytes(b"weights")

    def record(self, *places: str, content: str = "audio") -> list[Input]:
        for place in places:
            path = self.home / "in" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return [Input(str(self.home / "in" / place), place) for place in places]

    def open(self, inputs, output, format="txt", **options):
        options = TranscribeOptions(
            output=f"{self.home}/{output}", format=format, **options
        )
        return open_output(str(self.checkpoint), options, inputs)

    def run(self, inputs, output, text="GO", most=99, **options) -> list[str]:
        """Transcribe what is not done; return the places of what was."""
        opened = self.open(inputs, output, **options)
        try:
            todo = [each for each in inputs if not opened.is_done(each)]
            for each in todo[:most]:
                opened.write(each, say(each, text))
            return [each.place for each in todo[:most]]
        finally:
            opened.close()

    def read(self, path: str) -> str:
        return (self.home / path).read_text()


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


def test_a_file_called_as_of_another_format_is_refused_before_any_work(bench):
    inputs = bench.record("a.wav")
    with pytest.raises(InputError, match=r"format is txt, .*; set format=srt"):
        bench.open(inputs, "talk.srt")
    assert not (bench.home / "talk.srt").exists()


def say(each: Input, text: str) -> Transcript:
    spans = (Span(text, 0.0, 0.5, 0.9),)
    return Transcript(Path(each.place).name, text, 1.0, -1.0, 0.9, spans, spans)


def visible(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def test_one_file_takes_all_as_they_come(bench):
    some = bench.record("a.wav", "b.wav")
    output = bench.open(some, "new/all.txt")
    output.write(some[0], say(some[0], "GO"))
    assert bench.read("new/all.txt") == "a.wav\tGO\n"
    output.write(some[1], say(some[1], "É"))
    output.close()
    assert bench.read("new/all.txt") == "a.wav\tGO\nb.wav\tÉ\n"


def test_what_fails_before_the_first_leaves_nothing(bench):
    for output in ("new/all.txt", "deep/new/"):
        bench.open(bench.record("a.wav"), output).close()
    assert sorted(os.listdir(bench.home)) == ["a.ckpt", "in"]


def test_a_folder_takes_a_file_each_and_keeps_the_folders(bench):
    some = bench.record("day1/a.wav", "day2/a.wav", "b.v2.flac")
    bench.run(some, "out/", format="textgrid")
    for name in ("day1/a", "day2/a", "b.v2"):
        assert "GO" in bench.read(f"out/{name}.TextGrid")


def test_several_formats_make_a_folder_of_any_output(bench):
    bench.run(bench.record("a.wav"), "out", format=["srt", "json"])
    assert visible(bench.home / "out") == ["a.json", "a.srt"]
    with pytest.raises(InputError, match=r"format is \[srt,srt\], expected one or sev"):
        bench.open(bench.record("a.wav"), "out", format=["srt", "srt"])


def test_a_folder_that_exists_needs_no_slash(bench):
    (bench.home / "out").mkdir()
    bench.run(bench.record("a.wav"), "out", format="srt")
    assert visible(bench.home / "out") == ["a.srt"]


def test_beside_means_beside_each_recording(bench):
    some = bench.record("day1/a.wav", "b.wav")
    options = TranscribeOptions(output="beside", format="srt")
    for _ in range(2):
        output = open_output(str(bench.checkpoint), options, some)
        for each in some:
            if not output.is_done(each):
                output.write(each, say(each, "GO"))
        output.close()
    assert visible(bench.home / "in") == ["b.srt", "b.wav", "day1"]
    assert visible(bench.home / "in/day1") == ["a.srt", "a.wav"]
    options = TranscribeOptions(output="beside", format=["srt", "vtt"])
    open_output(str(bench.checkpoint), options, some).close()
    assert not Path("beside").exists()
    # What a list names by its whole path has its record in its own folder.
    path = bench.record("day3/c.wav")[0].source
    output = open_output(str(bench.checkpoint), options, [Input(path, path[1:])])
    output.write(Input(path, path[1:]), say(some[0], "GO"))
    output.close()
    assert sorted(os.listdir(bench.home / "in/day3")) == [
        *(".speechgru-transcribed.jsonl", "c.srt", "c.vtt", "c.wav")
    ]
    with pytest.raises(InputError, match="standard input lies nowhere"):
        open_output(str(bench.checkpoint), options, [Input(b"RIFF", "stdin")])


def test_names_that_collide_are_told_before_anything_is_written(bench):
    with pytest.raises(InputError, match=r"in/a.wav and .*a.flac: both would be writ"):
        bench.open(bench.record("a.wav", "a.flac"), "out/", format="json")
    assert not (bench.home / "out").exists()


@pytest.mark.parametrize("output", ["out/", "out/a.txt"])
def test_a_file_of_somebody_else_is_replaced_on_demand_only(bench, output):
    some = bench.record("a.wav")
    (bench.home / "out").mkdir()
    (bench.home / "out/a.txt").write_text("mine")
    with pytest.raises(InputError, match=r"out/a.txt: exists already, expected a new"):
        bench.run(some, output)
    assert bench.read("out/a.txt") == "mine"
    assert bench.run(some, output, overwrite=True) == ["a.wav"]
    assert bench.read("out/a.txt") == "GO\n"
    assert bench.run(some, output) == []


@pytest.mark.parametrize("output", [None, "all.srt"])
def test_several_recordings_need_a_format_that_holds_them(bench, output):
    some = bench.record("a.wav", "b.wav")
    options = TranscribeOptions(output=output, format="srt")
    with pytest.raises(InputError, match=r"format=srt holds one .* set output=FOLDER/"):
        open_output(str(bench.checkpoint), options, some)
    # One that cannot be read is no second recording.
    failure = Input(Failure("b.wav", "b.wav: no such file"), "b.wav")
    options = TranscribeOptions(
        output=output and f"{bench.home}/{output}", format="srt"
    )
    opened = open_output(str(bench.checkpoint), options, [some[0], failure])
    if opened is not None:
        opened.close()


@pytest.mark.parametrize("output", ["out/", "all.txt"])
def test_started_again_it_does_what_is_not_done(bench, output):
    some = bench.record("a.wav", "b.wav", "c.wav")
    assert bench.run(some, output, most=2) == ["a.wav", "b.wav"]
    assert bench.run(some, output) == ["c.wav"]
    assert bench.run(some, output) == []
    if output == "all.txt":
        assert bench.read(output) == "a.wav\tGO\nb.wav\tGO\nc.wav\tGO\n"


@pytest.mark.parametrize("output", ["out/", "all.txt"])
def test_a_recording_that_changed_is_done_anew(bench, output):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, output, "OLD")
    bench.record("a.wav", content="longer audio")
    assert bench.run(some, output, "NEW") == ["a.wav"]
    if output == "all.txt":
        assert bench.read(output) == "b.wav\tOLD\na.wav\tNEW\n"
        assert bench.run(some, output) == []
    else:
        assert (bench.read("out/a.txt"), bench.read("out/b.txt")) == ("NEW\n", "OLD\n")


def test_a_transcript_that_went_is_made_anew(bench):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, "out/")
    (bench.home / "out/a.txt").unlink()
    assert bench.run(some, "out/") == ["a.wav"]


@pytest.mark.parametrize("order", [1, -1])
def test_what_was_corrected_by_hand_stays(bench, order):
    some = bench.record("a.wav", "b.wav")[::order]
    bench.run(some, "out/")
    (bench.home / "out/a.txt").write_text("corrected")
    assert bench.run(some, "out/") == []
    bench.record("a.wav", content="longer audio")
    with pytest.raises(InputError, match=r"a.txt: exists already, .* overwrite=true"):
        bench.run(some, "out/")
    assert bench.read("out/a.txt") == "corrected"


def test_a_line_that_was_corrected_by_hand_is_not_cut(bench):
    some = bench.record("a.wav", "b.wav")
    bench.run(some[:1], "one.txt", "GONE")
    (bench.home / "one.txt").write_text("DONE\n")
    assert bench.run(some[:1], "one.txt") == []
    assert bench.read("one.txt") == "DONE\n"
    (bench.home / "one.txt").write_text("NO\n")
    with pytest.raises(InputError, match=r"one.txt: has 3 bytes, expected 5, as were"):
        bench.run(some[:1], "one.txt")
    assert bench.read("one.txt") == "NO\n"


@pytest.mark.parametrize("output", ["out/", "all.txt"])
def test_other_settings_are_told_by_name(bench, output):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, output)
    with pytest.raises(
        InputError, match=r"other settings: rescore_texts was 50 and is 7; .* overwrite"
    ):
        bench.run(some, output, rescore_texts=7)
    assert bench.run(some, output, batch_seconds=7.0, num_threads=2) == []
    bench.checkpoint.write_bytes(b"others")
    with pytest.raises(InputError, match=r"checkpoint was \w{16} and is \w{16}"):
        bench.run(some, output)
    assert len(bench.run(some, output, overwrite=True)) == 2
    assert bench.run(some, output) == []


def test_another_recording_of_the_same_name_is_told(bench):
    bench.run(bench.record("a.wav"), "out/")
    other = Input(bench.record("other/a.wav", content="else")[0].source, "a.wav")
    with pytest.raises(
        InputError, match=r"a.txt: is the transcript of .*in/a.wav, exp"
    ):
        bench.run([other], "out/")


def test_recordings_may_move_together(bench):
    some = bench.record("day1/a.wav")
    bench.run(some, "out/")
    (bench.home / "in").rename(bench.home / "moved")
    moved = Input(str(bench.home / "moved/day1/a.wav"), "day1/a.wav")
    assert bench.run([moved], "out/") == []


def test_another_format_is_added_beside_the_first(bench):
    some = bench.record("a.wav")
    bench.run(some, "out/", format="srt")
    assert bench.run(some, "out/", format=["srt", "vtt"]) == ["a.wav"]
    assert bench.run(some, "out/", format=["vtt", "srt"]) == []
    assert visible(bench.home / "out") == ["a.srt", "a.vtt"]


class Killed(BaseException):
    """What no code takes for an error; behind it nothing runs any more."""


@pytest.mark.parametrize("num_bytes", [0, 3, 9])
def test_a_kill_within_a_line_leaves_no_half_transcript(bench, monkeypatch, num_bytes):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, "all.txt", most=1)

    def die(descriptor, content):
        os.write(descriptor, content[:num_bytes])
        raise Killed

    monkeypatch.setattr(one_file_module, "write_all", die)
    monkeypatch.setattr(one_file_module.OneFile, "_cut", lambda self: None)
    monkeypatch.setattr(one_file_module.Record, "drop_last", lambda self: None)
    with pytest.raises(Killed):
        bench.run(some, "all.txt")
    assert bench.read("all.txt") == "a.wav\tGO\n" + "b.wav\tGO\n"[:num_bytes]
    monkeypatch.undo()
    # All of it was there, but for the program's knowledge of it.
    assert bench.run(some, "all.txt") == ([] if num_bytes == 9 else ["b.wav"])
    assert bench.read("all.txt") == "a.wav\tGO\nb.wav\tGO\n"


def test_a_kill_within_the_first_line_leaves_no_file_in_the_way(bench, monkeypatch):
    some = bench.record("a.wav", "b.wav")
    monkeypatch.setattr(
        one_file_module, "write_all", lambda d, c: os.write(d, c[:2]) / 0
    )
    monkeypatch.setattr(one_file_module.OneFile, "_cut", lambda self: None)
    monkeypatch.setattr(one_file_module.Record, "drop_last", lambda self: None)
    with pytest.raises(ZeroDivisionError):
        bench.run(some, "all.txt")
    monkeypatch.undo()
    assert bench.run(some, "all.txt") == ["a.wav", "b.wav"]


def test_a_kill_between_the_files_of_a_recording_is_noticed(bench, monkeypatch):
    some = bench.record("a.wav")
    real = folder_module.replace_file

    def die(path, content):
        if path.suffix == ".json":
            raise Killed
        real(path, content)

    monkeypatch.setattr(folder_module, "replace_file", die)
    with pytest.raises(Killed):
        bench.run(some, "out/", format=["srt", "json"])
    monkeypatch.undo()
    assert visible(bench.home / "out") == ["a.srt"]
    assert bench.run(some, "out/", format=["srt", "json"]) == ["a.wav"]
    assert visible(bench.home / "out") == ["a.json", "a.srt"]


def test_a_transcript_that_was_not_replaced_is_not_taken_for_the_new_one(
    bench, monkeypatch
):
    a, b = bench.record("a.wav", "b.wav")
    bench.run([a], "out/", "OLD")
    bench.record("a.wav", content="longer audio")

    def die(path, content):
        raise Killed

    monkeypatch.setattr(folder_module, "replace_file", die)
    with pytest.raises(Killed):
        bench.run([a], "out/", "NEW")
    monkeypatch.undo()
    assert bench.run([b], "out/", "NEW") == ["b.wav"]
    assert bench.read("out/a.txt") == "OLD\n"
    assert bench.run([a, b], "out/", "NEW") == ["a.wav"]
    assert bench.read("out/a.txt") == "NEW\n"


@pytest.mark.parametrize("output", ["out/", "all.txt"])
def test_what_changes_while_it_is_heard_is_heard_again(bench, output):
    [one] = bench.record("a.wav")
    opened = bench.open([one], output)
    assert not opened.is_done(one)
    bench.record("a.wav", content="longer audio")
    opened.write(one, say(one, "OLD"))
    opened.close()
    assert bench.run([one], output, "NEW") == ["a.wav"]


def test_a_foreign_file_that_was_not_replaced_is_not_taken_for_a_transcript(
    bench, monkeypatch
):
    some = bench.record("a.wav")
    (bench.home / "out").mkdir()
    (bench.home / "out/a.txt").write_text("mine")

    def die(path, content):
        raise Killed

    monkeypatch.setattr(folder_module, "replace_file", die)
    with pytest.raises(Killed):
        bench.run(some, "out/", overwrite=True)
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"a.txt: exists already"):
        bench.run(some, "out/")
    assert bench.run(some, "out/", overwrite=True) == ["a.wav"]
    assert bench.read("out/a.txt") == "GO\n"


def test_half_a_line_of_the_record_is_nothing(bench):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, "out/", most=1)
    with (bench.home / "out/.speechgru-transcribed.jsonl").open("ab") as file:
        file.write(b'{"key": "b", "sour')
    assert bench.run(some, "out/") == ["b.wav"]
    assert bench.run(some, "out/") == []


@pytest.mark.parametrize("where", ["record", "file"])
def test_a_disk_that_fills_loses_nothing_and_goes_on(bench, monkeypatch, where):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, "all.txt", most=1)

    def fill(descriptor, content):
        os.write(descriptor, content[:4])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    module = one_file_module if where == "file" else record_module
    monkeypatch.setattr(module, "write_all", fill)
    with pytest.raises(InputError, match=r"No space left .* the same command does the"):
        bench.run(some, "all.txt")
    assert bench.read("all.txt") == "a.wav\tGO\n"
    monkeypatch.undo()
    assert bench.run(some, "all.txt") == ["b.wav"]
    assert bench.read("all.txt") == "a.wav\tGO\nb.wav\tGO\n"


def test_a_file_that_grew_by_another_hand_is_not_cut(bench):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, "all.txt", most=1)
    with (bench.home / "all.txt").open("a") as file:
        file.write("a note of mine, longer than what was written")
    with pytest.raises(
        InputError, match=r"all.txt: has \d+ bytes, expected 9, as were"
    ):
        bench.run(some, "all.txt")
    assert "a note of mine" in bench.read("all.txt")


@pytest.mark.parametrize("output", ["out/", "all.txt"])
def test_a_second_process_on_the_same_output_is_told(bench, output):
    some = bench.record("a.wav")
    first = bench.open(some, output)
    with pytest.raises(InputError, match="another process transcribes to it, and hold"):
        bench.open(some, output)
    first.close()
    assert bench.run(some, output) == ["a.wav"]


def test_shards_share_a_folder_and_know_of_each_other(bench):
    some = bench.record(*(f"{n}.wav" for n in range(5)))
    one = bench.open(some[:3], "out/", shard="1/2")
    assert bench.run(some[3:], "out/", shard="2/2") == ["3.wav", "4.wav"]
    one.close()
    assert bench.run(some, "out/") == ["0.wav", "1.wav", "2.wav"]
    assert bench.run(some, "out/", shard="1/1") == []
    with pytest.raises(InputError, match=r"all.txt, one file, which .* other shards"):
        bench.open(some, "all.txt", shard="1/2")


def test_a_folder_that_cannot_be_written_is_told_at_once(bench):
    (bench.home / "out").write_text("a file")
    with pytest.raises(
        InputError, match=r"out/.*: cannot be written \(.*\), expected a"
    ):
        bench.open(bench.record("a.wav"), "out/")


def test_a_damaged_record_is_told_by_its_line(bench):
    some = bench.record("a.wav", "b.wav")
    bench.run(some, "out/")
    path = bench.home / "out/.speechgru-transcribed.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = json.dumps({"key": "a"})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"transcribed.jsonl:2: is damaged"):
        bench.run(some, "out/")


def test_standard_input_is_known_by_its_content(bench):
    once, other = [Input(b"RIFF1", "stdin")], [Input(b"RIFF2", "stdin")]
    for output in ("out/", "all.txt"):
        assert bench.run(once, output) == ["stdin"]
        assert bench.run(once, output) == []
        with pytest.raises(InputError, match="another output"):
            bench.run(other, output)


def test_a_device_takes_transcripts_and_has_no_record(bench, monkeypatch):
    monkeypatch.setattr(bench, "home", Path("/dev"))
    assert bench.run([Input(b"RIFF1", "stdin")], "null") == ["stdin"]
    assert not [name for name in os.listdir("/dev") if "speechgru" in name]


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


def test_a_name_as_long_as_can_be_has_a_transcript_of_such_a_name(bench):
    some = bench.record(f"{'x' * 251}.wav")
    options = TranscribeOptions(output="beside", format="srt")
    opened = open_output(str(bench.checkpoint), options, some)
    opened.write(some[0], say(some[0], "GO"))
    opened.close()
    assert f"{'x' * 251}.srt" in os.listdir(bench.home / "in")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_name_that_is_too_long_is_told_before_any_work(bench, overwrite):
    some = bench.record(f"{'x' * 251}.wav")
    opened = bench.open(some, "out/", format="textgrid", overwrite=overwrite)
    with pytest.raises(InputError, match=r"a name of 260 bytes, .*; rename the record"):
        opened.is_done(some[0])
    opened.close()


def test_parts_of_one_name_are_not_written_over_each_other(bench):
    [each] = bench.record("a.wav")
    parts = [replace(each, start=start, end=2.0) for start in (1.0, 1.0001)]
    opened = bench.open(parts, "all.txt")
    assert not opened.is_done(parts[0])
    assert not opened.is_done(parts[0])
    with pytest.raises(InputError, match=r"a.wav: stands for two parts of a recording"):
        opened.is_done(parts[1])
    opened.close()


@pytest.fixture
def few_open_files():
    """Let this process hold hardly more files than it does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = len(os.listdir("/proc/self/fd")) + 40
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
    yield few
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_recordings_may_lie_in_more_folders_than_files_may_be_open(
    bench, few_open_files
):
    some = bench.record(*(f"{n}/a.wav" for n in range(few_open_files)))
    some = [replace(each, place="a.wav") for each in some]
    options = TranscribeOptions(output="beside")
    opened = open_output(str(bench.checkpoint), options, some)
    assert not any(opened.is_done(each) for each in some)
    opened.close()


def test_where_the_system_permits_no_more_open_files_that_is_told(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 200))
    with pytest.raises(InputError, match="may open 200 files, expected 1128; name"):
        allow_open_files(1000)
