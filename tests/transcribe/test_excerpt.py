"""A part of a recording gives the words of that part, at their times in the whole."""

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import soundfile
from transcribe.loudness import SAMPLE_RATE, TOKENIZER, LoudnessModel, make_waveform

from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import InputError
from speechgru.options import AlignOptions, TranscribeOptions
from speechgru.transcribe.excerpt import Excerpt
from speechgru.transcribe.format_table import find_format
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.many_inputs import transcribe_inputs
from speechgru.transcribe.parts import take_part, take_parts
from speechgru.transcribe.recording import Recording
from speechgru.transcribe.transcriber import Transcriber
from speechgru.transcribe.transcript import Failure

SAID = ("AB C AB", "CC A BB")  # 0.02 s a character; left and right


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())


@pytest.fixture(scope="module")
def stereo() -> np.ndarray:
    return np.stack([make_waveform(text) for text in SAID], axis=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory, stereo):
    path = tmp_path_factory.mktemp("stereo") / "talk.wav"
    soundfile.write(path, stereo, SAMPLE_RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("kind", ["path", "bytes", "stream", "array"])
def test_words_of_an_excerpt_have_their_times_in_the_recording(
    transcriber, path, stereo, kind
):
    def take(**part) -> Excerpt:
        content = path.read_bytes()
        sources = {"path": path, "bytes": content, "stream": BytesIO(content)}
        return Excerpt(sources.get(kind, stereo), **part)

    rate = SAMPLE_RATE if kind == "array" else None
    for channel, said in enumerate(SAID):
        whole = transcriber.transcribe(take(channel=channel), rate)
        assert (whole.text, whole.start, whole.channel) == (said, 0, channel)
    part = transcriber.transcribe(take(channel=0, start=0.06, end=0.14), rate)
    assert (part.text, part.start, part.channel) == ("C AB", 0.06, 0)
    assert part.duration == pytest.approx(0.08)
    whole = transcriber.transcribe(take(channel=0), rate)
    for heard, expected in zip(part.words, whole.words[1:], strict=True):
        assert heard == replace(
            expected,
            start=pytest.approx(expected.start),
            end=pytest.approx(expected.end),
        )
    assert part.tokens[0].start == pytest.approx(0.06)


def test_an_excerpt_among_many_is_placed_as_alone(transcriber, path):
    excerpt = Excerpt(path, 0.06, channel=1)
    alone = transcriber.transcribe(excerpt)
    assert alone.text == "A BB"
    failed, among = transcriber.transcribe_many(["gone.wav", excerpt])
    assert isinstance(failed, Failure)
    assert among == alone


def test_blocks_are_those_of_the_excerpt(path, stereo):
    for source, rate in ((path, None), (stereo, SAMPLE_RATE)):
        recording = Recording.of(Excerpt(source, 0.03, 0.1, 1), rate)
        blocks = [block.numpy() for block, _ in recording.blocks(0.02)]
        assert [len(block) for block in blocks] == [160, 160, 160, 80]
        np.testing.assert_array_equal(np.concatenate(blocks), stereo[240:800, 1])
        assert recording.inspect().num_samples == 560


@pytest.mark.parametrize("start", [0.2, 0.1])
def test_an_excerpt_beyond_the_end_is_refused(transcriber, path, stereo, start):
    for source, rate in ((path, None), (stereo, SAMPLE_RATE)):
        with pytest.raises(InputError, match="start and end"):
            transcriber.transcribe(Excerpt(source, start, 1.0, 0), rate)


@pytest.mark.parametrize(
    "part", [{"start": 2, "end": 1}, {"start": -1}, {"end": 0}, {"channel": -1}]
)
def test_an_excerpt_that_means_nothing_is_refused(part):
    with pytest.raises(InputError, match="expected"):
        Excerpt("a.wav", **part)


def test_each_channel_is_an_input_with_a_name_of_its_own(transcriber, path):
    inputs = [Input(str(path), "day/talk.wav"), Input(Failure("b", "b: gone"), "b")]
    taken = take_parts(inputs, TranscribeOptions(channel="each", start="0:00.06"))
    places = ["day/talk.channel0.wav", "day/talk.channel1.wav", "b"]
    assert [each.place for each in taken] == places
    *heard, failed = transcribe_inputs(taken, lambda: transcriber)
    assert [each.text for each in heard] == ["C AB", "A BB"]
    assert isinstance(failed, Failure)


def test_a_file_whose_channels_cannot_be_counted_is_one_failure(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"no sound")
    (failed,) = take_parts(
        [Input(str(path), "a.wav")], TranscribeOptions(channel="each")
    )
    assert failed.source.message.startswith(f"{path}: not decodable")


def test_without_a_choice_all_is_heard_as_before(path):
    inputs = [Input(str(path), "talk.wav")]
    assert take_parts(inputs, TranscribeOptions()) == inputs


def test_a_text_is_aligned_with_a_part(transcriber, path):
    options = AlignOptions(channel=1, start=0.06)
    aligned = transcriber.align(take_part(str(path), options), "A BB")
    assert [word.text for word in aligned.words] == ["A", "BB"]
    assert aligned.words[0].start == pytest.approx(0.06)
    with pytest.raises(InputError, match="channel is each, but a text is aligned"):
        take_part(str(path), AlignOptions(channel="each"))


def test_formats_name_the_channel_and_keep_times_in_the_recording(transcriber, path):
    part = transcriber.transcribe(Excerpt(path, 0.06, channel=1))
    lines = find_format("ctm").render(part, named=True).splitlines()
    assert [line.split()[1:3] for line in lines] == [["2", "0.060"], ["2", "0.100"]]
    record = json.loads(find_format("json").render(part, named=True))
    assert (record["channel"], record["start"], record["duration"]) == (1, 0.06, 0.08)
    assert record["words"][0]["start"] == 0.06
    grid = find_format("textgrid").render(part, named=False)
    assert "xmax = 0.140000" in grid
    whole = transcriber.transcribe(path)
    assert "channel" not in json.loads(find_format("json").render(whole, named=True))
