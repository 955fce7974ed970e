"""The picture of the gates, and the command that draws it."""

import ast
import errno
import io
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from conftest import SAMPLE_RATE, SMALL_MODEL
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from torch import nn

import speechgru
from speechgru.checkpoint.models import build_model
from speechgru.checkpoint.storage import describe, write_checkpoint
from speechgru.cli.gates import main
from speechgru.decode.spans import group_words
from speechgru.interfaces import BLANK, InputError, Span
from speechgru.model.encoders.gru_cell import GRUTrace
from speechgru.report.gates import observe
from speechgru.report.gates_picture import Observation, cut_strips, draw, place_labels
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.transcribe.transcriber import Transcriber, Transcript

TOKENIZER = CharacterTokenizer(" ABC")


def save_checkpoint(path: Path, trust: tuple[str, ...] = (), **encoder) -> Path:
    """Write an untrained model that hears some letter at every frame."""
    torch.manual_seed(3)
    config = {**SMALL_MODEL, "encoder": {**SMALL_MODEL["encoder"], **encoder}}
    model = build_model(config, len(TOKENIZER.tokens), trust)
    nn.init.normal_(model.head.weight, std=5.0)
    model.head.bias.data[BLANK] = -1000.0
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    content = describe(config, TOKENIZER.config(), {}) | {"state_dict": weights}
    write_checkpoint(content, path)
    return path


def save_noise(path: Path, seconds: float, rate: int = SAMPLE_RATE) -> Path:
    noise = np.random.default_rng(0).standard_normal(round(seconds * rate))
    soundfile.write(path, 0.1 * noise, rate)
    return path


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    return save_checkpoint(tmp_path / "tiny.ckpt")


@pytest.fixture
def recording(tmp_path) -> Path:
    return save_noise(tmp_path / "noise.wav", 0.8)


@pytest.fixture
def in_folder(tmp_path, monkeypatch) -> Path:
    """A working directory of its own."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def call(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def spell(text: str, seconds: float) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Words and tokens of a text whose characters all take equally long."""
    step = seconds / len(text)
    tokens = [
        Span(letter, index * step, (index + 1) * step, 1.0)
        for index, letter in enumerate(text)
    ]
    return group_words(tokens), tuple(tokens)


def make_observation(
    seconds: float, text: str = "", num_layers: int = 1, num_directions: int = 2
) -> Observation:
    torch.manual_seed(0)
    num_frames = round(seconds / 0.04)
    words, tokens = spell(text, seconds) if text else ((), ())
    known = ("<blank>", *sorted(set(text)))
    return Observation(
        transcript=Transcript("folder/a.wav", text, seconds, 0.0, None, tokens, words),
        waveform=torch.rand(round(seconds * SAMPLE_RATE)) - 0.5,
        sample_rate=SAMPLE_RATE,
        features=torch.randn(4 * num_frames, 8),
        feature_name="LogMel",
        hop=0.01,
        traces=[
            [GRUTrace(*torch.rand(4, num_frames, 6)) for _ in range(num_directions)]
            for _ in range(num_layers)
        ],
        probabilities=torch.randn(num_frames, len(known)).softmax(dim=1),
        tokens=known,
        seconds_per_frame=0.04,
    )


def rows_of(figure: Figure) -> list[Axes]:
    """From top to bottom, without the scales beside them."""
    return [axes for axes in figure.axes if axes.get_ylabel() != "ln energy"]


def written(figure: Figure) -> list[str]:
    """Everything that can be read in a picture, but for numbers on axes."""
    texts = figure.findobj(Text)
    return [text.get_text() for text in texts if text.get_text()]


@pytest.mark.parametrize(
    ("suffix", "magic"),
    [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")],
)
def test_the_suffix_chooses_the_kind_of_picture(
    checkpoint, recording, in_folder, suffix, magic
):
    output = in_folder / f"new/picture{suffix}"
    assert call(checkpoint, recording, f"output={output}") == 0
    assert output.read_bytes().startswith(magic)


def test_a_picture_lies_in_the_working_directory_and_is_not_overwritten(
    checkpoint, recording, in_folder, capsys
):
    assert call(checkpoint, recording) == 0
    assert capsys.readouterr().out == "picture: noise.gates.png\n"
    picture = in_folder / "noise.gates.png"
    picture.write_bytes(b"annotated for hours")
    with pytest.raises(InputError, match=r"noise\.gates\.png: exists .*overwrite=true"):
        call(checkpoint, recording)
    assert picture.read_bytes() == b"annotated for hours"
    assert call(checkpoint, recording, "overwrite=true") == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_picture_is_written_whole_or_not_at_all(
    checkpoint, recording, in_folder, monkeypatch
):
    assert call(checkpoint, recording) == 0
    before = (in_folder / "noise.gates.png").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        call(checkpoint, recording, "overwrite=true")
    assert (in_folder / "noise.gates.png").read_bytes() == before
    assert os.listdir(in_folder) == ["noise.gates.png"]


def test_standard_input_is_drawn(checkpoint, recording, in_folder, monkeypatch):
    with recording.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        assert call(checkpoint, "-") == 0
    assert (in_folder / "stdin.gates.png").exists()


def test_a_name_may_hold_dollars_and_bytes_that_are_no_utf8(
    checkpoint, recording, in_folder, capsys
):
    odd = recording.rename(recording.with_name("a$b$\udcff.wav"))
    assert call(checkpoint, odd) == 0
    assert capsys.readouterr().out == "picture: a$b$\\xff.gates.png\n"
    transcript = replace(make_observation(1.0).transcript, source=str(odd))
    figure = draw(replace(make_observation(1.0), transcript=transcript))
    assert "a$b$\\xff.wav, 1.00 s" in written(figure)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["output=a.jpg"], r"a\.jpg: ends in '\.jpg', expected \.png, \.pdf, \.svg"),
        (["output=a"], "a: ends in '', expected"),
    ],
)
def test_other_kinds_of_picture_are_refused(
    checkpoint, recording, in_folder, options, message
):
    with pytest.raises(InputError, match=message):
        call(checkpoint, recording, *options)
    assert list(in_folder.iterdir()) == []


def test_only_one_recording_of_a_minute_at_most_is_drawn(
    checkpoint, recording, tmp_path, in_folder
):
    long = save_noise(tmp_path / "long.wav", 60.5)
    with pytest.raises(InputError, match=r"long\.wav: lasts 60\.5 s, .* at most 60 s"):
        call(checkpoint, long)
    with pytest.raises(InputError, match="2 recordings, expected 1"):
        call(checkpoint, tmp_path)


def test_an_encoder_without_these_gates_is_named(
    recording, tmp_path, in_folder, monkeypatch
):
    (tmp_path / "gateless.py").write_text(
        "from torch import nn\n"
        "class Straight(nn.Module):\n"
        "    def __init__(self, input_size: int, hidden_size: int, num_layers: int):\n"
        "        super().__init__()\n"
        "        self.output_size = input_size\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    checkpoint = save_checkpoint(
        tmp_path / "other.ckpt", ("gateless",), _target_="gateless.Straight"
    )
    with pytest.raises(
        InputError, match=r"other\.ckpt: the encoder is a Straight, exp"
    ):
        call(checkpoint, recording, "trust=[gateless]")


@pytest.mark.parametrize("options", [{}, {"bidirectional": False}, {"norm": "layer"}])
def test_what_is_seen_is_what_transcribes(tmp_path, recording, options):
    checkpoint = save_checkpoint(tmp_path / "model.ckpt", num_layers=3, **options)
    transcriber = Transcriber.from_checkpoint(checkpoint)
    seen = observe(transcriber, str(recording))
    assert seen.transcript == transcriber.transcribe(str(recording))
    assert seen.transcript.text
    assert not any(module._forward_hooks for module in transcriber.model.modules())
    waveform = torch.from_numpy(soundfile.read(recording, dtype="float32")[0])
    assert torch.equal(seen.waveform, waveform)
    assert len(seen.traces) == 3
    with torch.inference_mode():
        log_probs, _ = transcriber.model(waveform[None], torch.tensor([len(waveform)]))
        outputs = torch.cat([trace.output for trace in seen.traces[-1]], dim=1)
        traced = transcriber.model.head(outputs).softmax(dim=-1)
    torch.testing.assert_close(seen.probabilities, log_probs[0].exp())
    torch.testing.assert_close(seen.probabilities, traced, atol=1e-4, rtol=0)


def test_audio_of_another_rate_is_seen_as_the_model_hears_it(checkpoint, tmp_path):
    fast = save_noise(tmp_path / "fast.wav", 1.0, rate=44100)
    seen = observe(Transcriber.from_checkpoint(checkpoint), str(fast))
    assert seen.sample_rate == SAMPLE_RATE
    assert seen.waveform.shape == (SAMPLE_RATE,)
    # 100 hops of 10 ms and one, two to an output frame of 20 ms.
    assert len(seen.features) == 101
    assert seen.end == pytest.approx(51 * 0.02)


def test_the_lines_are_the_mean_gates_at_the_middle_of_their_frames():
    seen = make_observation(1.0)
    update, reset = torch.zeros(25, 4), torch.zeros(25, 4)
    update[10, :2], reset[10, 0] = 1.0, 1.0
    trace = GRUTrace(reset=reset, update=update, candidate=update, output=update)
    figure = draw(replace(seen, traces=[[trace]]))
    _, _, gates, _ = rows_of(figure)
    for line, peak in zip(gates.lines, (0.5, 0.25), strict=True):
        times, values = line.get_data()
        assert np.argmax(values) == 10
        assert values[10] == peak
        assert times[10] == pytest.approx(10.5 * 0.04)
    names = {
        sign.get_color(): sign.get_label() for sign in gates.get_legend().get_lines()
    }
    assert [names[line.get_color()] for line in gates.lines] == [
        "update z (1 = keep)",
        "reset r (0 = forget)",
    ]


@pytest.mark.parametrize(("num_directions", "num_lines"), [(1, 2), (2, 4)])
def test_every_layer_has_a_row_and_every_direction_its_lines(num_directions, num_lines):
    rows = rows_of(draw(make_observation(1.0, "A", 5, num_directions)))
    assert len(rows) == 2 + 5 + 1
    for layer, row in enumerate(rows[2:-1], start=1):
        assert row.get_ylabel() == f"layer {layer}\ngates"
        assert len(row.lines) == num_lines
    assert len(
        {(line.get_color(), line.get_linestyle()) for line in rows[2].lines}
    ) == (num_lines)


def test_a_student_is_told_what_everything_means():
    texts = written(draw(make_observation(1.0, "ONE TWO")))
    for expected in (
        "a.wav, 1.00 s",
        "heard: ONE TWO",
        "update z (1 = keep)",
        "reset r (0 = forget)",
        "forward",
        "backward",
        "blank: no token",
        "time (s)",
        "ln energy",
        "ONE",
        "TWO",
        "␣",
    ):
        assert expected in texts


def test_silence_is_drawn_without_labels():
    texts = written(draw(make_observation(1.0)))
    assert "heard: (nothing)" in texts


@pytest.mark.parametrize(
    ("seconds", "count"), [(0.08, 1), (6.0, 1), (6.04, 2), (15.0, 3), (60.0, 10)]
)
def test_long_recordings_go_on_below_in_equal_strips(seconds, count):
    strips = cut_strips(make_observation(seconds))
    assert len(strips) == count
    assert strips[0].start == 0
    assert strips[-1].end == pytest.approx(seconds)
    for one, next_one in pairwise(strips):
        assert one.end == next_one.start
        assert one.end - one.start == pytest.approx(next_one.end - next_one.start)


def test_every_word_and_token_is_labelled_once_at_its_middle():
    seen = make_observation(15.0, " ".join(["SEVEN"] * 40))
    strips = cut_strips(seen)
    for kind in ("words", "tokens"):
        labels = [label for strip in strips for label in getattr(strip, kind)]
        spans = getattr(seen.transcript, kind)
        assert [label.text for label in labels] == [span.text for span in spans]
        for label, span in zip(labels, spans, strict=True):
            assert label.time == pytest.approx((span.start + span.end) / 2)


def test_labels_that_would_touch_take_the_line_above():
    spans = [Span("SEVEN", time, time, 1.0) for time in (1.0, 1.0, 1.01, 5.0)]
    assert [label.line for label in place_labels(spans, 0.0, 10.0)] == [0, 1, 2, 0]
    # The same words a hundred times closer to each other: all above each other.
    assert [label.line for label in place_labels(spans, 0.0, 1000.0)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("seconds", "text", "num_layers"),
    [
        (0.6, "TWO FOUR EIGHT", 1),
        (2.0, "SEVEN NINE TWO THREE TWO THREE", 5),
        (5.96, " ".join(["SEVEN"] * 20), 1),
        (15.0, " ".join(["SEVEN"] * 40), 2),
    ],
)
def test_no_text_touches_another_and_all_lie_within_the_picture(
    seconds, text, num_layers, monkeypatch
):
    texts, draw_text = [], Text.draw

    def remember(text, renderer):
        texts.append(text)
        draw_text(text, renderer)

    monkeypatch.setattr(Text, "draw", remember)
    figure = draw(make_observation(seconds, text, num_layers))
    FigureCanvasAgg(figure).draw()
    texts = [text for text in texts if text.get_visible() and text.get_text()]
    assert len(texts) > 30
    # Left, bottom, right and top, in pixels.
    boxes = np.array([text.get_window_extent().extents for text in texts])
    left, bottom, right, top = boxes.T
    assert min(left.min(), bottom.min()) >= 0
    assert right.max() <= figure.bbox.width
    assert top.max() <= figure.bbox.height
    touch = (
        (left[:, None] < right)
        & (left < right[:, None])
        & (bottom[:, None] < top)
        & (bottom < top[:, None])
    )
    touching = [
        (texts[one].get_text(), texts[other].get_text())
        for one, other in np.argwhere(touch)
        if one < other
    ]
    assert touching == []


def test_the_rows_of_a_strip_share_edges_and_times():
    rows = rows_of(draw(make_observation(15.0, "ONE TWO THREE", 2)))
    assert len(rows) == 3 * 5
    for index, row in enumerate(rows):
        box, first = row.get_position(), rows[0].get_position()
        assert (box.x0, box.x1) == (first.x0, first.x1)
        start = 5.0 * (index // 5)
        assert row.get_xlim() == pytest.approx((start, start + 5.0))


def test_only_pictures_import_matplotlib():
    package = Path(speechgru.__file__).parent
    slow = {
        "matplotlib",
        "speechgru.report.gates_picture",
        "speechgru.report.gates_rows",
    }
    importers = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_import = isinstance(node, (ast.Import, ast.ImportFrom))
            names = [alias.name for alias in node.names] if is_import else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name}" for name in names]
            if any(name.startswith(tuple(slow)) for name in names):
                importers.add(path.stem)
    assert importers == {
        *("curves", "gates", "gates_picture", "gates_rows", "picture"),
        "sweep_picture",
    }
