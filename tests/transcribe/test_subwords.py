"""Transcription and alignment with pieces of words for tokens."""

import json
import logging

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from speechgru.decode.greedy import GreedyDecoder
from speechgru.text.byte_tokens import BROKEN
from speechgru.text.subword_tokenizer import SubwordTokenizer
from speechgru.transcribe.format_table import find_format, format_names
from speechgru.transcribe.transcriber import Transcriber

RATE, FRAME = 8000, 80
TOKENIZER = SubwordTokenizer(
    [" ", "A", "B", " AB", " BA", "BA"], [-4.0, -3, -3, -2, -2, -3], byte_fallback=True
)


class Hearing(nn.Module):
    """Hears a token for each frame, as if it were sure."""

    sample_rate = RATE
    seconds_per_frame = FRAME / RATE

    def __init__(self, tokens: list[str]) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        ids = torch.tensor([TOKENIZER.tokens.index(token) for token in tokens])
        scores = torch.full((1, len(ids), len(TOKENIZER.tokens)), -20.0)
        scores[0, range(len(ids)), ids] = 0.0
        self.log_probs = scores.log_softmax(-1)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        return lengths // FRAME

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self.log_probs.expand(len(waveforms), -1, -1), self.output_lengths(
            lengths
        )


BLANK = "<blank>"
SAID = [" AB", " AB", BLANK, "BA", " ", "B", BLANK, " BA", "<0xC3>", "<0x89>"]


def transcribe(tokens):
    transcriber = Transcriber(Hearing(tokens), TOKENIZER, GreedyDecoder())
    return transcriber, np.zeros(FRAME * len(tokens), dtype=np.float32)


def test_words_begin_with_their_first_piece():
    transcriber, waveform = transcribe(SAID)
    transcript = transcriber.transcribe(waveform, sample_rate=RATE)
    assert transcript.text == "ABBA B BAÉ"
    words = [
        (w.text, round(100 * w.start), round(100 * w.end)) for w in transcript.words
    ]
    assert words == [("ABBA", 0, 4), ("B", 5, 6), ("BAÉ", 7, 10)]
    assert transcript.confidence > 0.99


@pytest.mark.parametrize("name", format_names())
def test_every_format_writes_whole_words(name):
    transcriber, waveform = transcribe(SAID)
    transcript = transcriber.transcribe(waveform, sample_rate=RATE)
    content = find_format(name).render(transcript, named=False)
    for word in ("ABBA", "BAÉ"):
        assert word in content
    if name == "json":
        assert [word["text"] for word in json.loads(content)["words"]] == [
            *("ABBA", "B", "BAÉ")
        ]


def test_a_text_is_aligned_by_its_pieces(tmp_path):
    transcriber, waveform = transcribe(SAID)
    soundfile.write(tmp_path / "a.wav", waveform, RATE)
    aligned = transcriber.align(tmp_path / "a.wav", "abba b baé")
    assert aligned.text == "ABBA B BAÉ"
    assert [round(100 * word.start) for word in aligned.words] == [0, 5, 7]


def test_broken_bytes_are_said(caplog):
    transcriber, waveform = transcribe([" AB", "<0xC3>", " BA", "<0x89>"])
    with caplog.at_level(logging.WARNING):
        transcript = transcriber.transcribe(waveform, sample_rate=RATE)
    assert transcript.text == f"AB{BROKEN} BA{BROKEN}"
    assert "byte tokens that are no character were heard 2 times" in caplog.text
    caplog.clear()
    transcriber, waveform = transcribe(SAID)
    with caplog.at_level(logging.WARNING):
        transcriber.transcribe(waveform, sample_rate=RATE)
    assert not caplog.text
