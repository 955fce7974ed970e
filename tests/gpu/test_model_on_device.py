"""A checkpoint's model on a GPU: padding, and the way there and back."""

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import read_checkpoint, write_checkpoint
from speechgru.decode.greedy import GreedyDecoder
from speechgru.model.long import needed_scratch, score_long
from speechgru.scratch import Scratch

TOLERANCE = 1e-4  # on log-probabilities, of the contract
LENGTHS = [8000, 3211, 900, 6400]


@pytest.fixture(autouse=True)
def _exact():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@pytest.fixture
def waveforms():
    generator = torch.Generator().manual_seed(2)
    return [0.1 * torch.randn(length, generator=generator) for length in LENGTHS]


def score(model, waveforms, num_samples=None):
    """Log-probabilities on the CPU, valid frames only, of utterances as one batch."""
    device = next(model.parameters()).device
    padded = pad_sequence(waveforms, batch_first=True)
    if num_samples is not None:
        padded = torch.nn.functional.pad(padded, (0, num_samples - padded.size(1)))
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    with torch.inference_mode():
        log_probs, output_lengths = model(padded.to(device), lengths)
    return [
        row[:length].cpu()
        for row, length in zip(log_probs, output_lengths, strict=True)
    ]


def decode(loaded, log_probs):
    lengths = torch.tensor([len(log_probs)])
    (found,) = GreedyDecoder()(
        log_probs[None], lengths, loaded.tokenizer, loaded.model.seconds_per_frame
    )
    return found.text


def test_padding_does_not_change_an_utterance(device, checkpoint, waveforms):
    loaded = load_checkpoint(checkpoint)
    model = loaded.model.to(device).eval()
    alone = [score(model, [waveform])[0] for waveform in waveforms]
    for together in (score(model, waveforms), score(model, waveforms, 12_000)):
        for found, expected in zip(together, alone, strict=True):
            torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)
            assert decode(loaded, found) == decode(loaded, expected)


def test_a_device_scores_as_the_cpu_does(device, checkpoint, waveforms):
    expected = score(load_checkpoint(checkpoint).model.eval(), waveforms)
    found = score(load_checkpoint(checkpoint).model.to(device).eval(), waveforms)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, atol=TOLERANCE, rtol=0)


def test_weights_of_a_device_load_on_a_cpu_and_back(
    device, checkpoint, waveforms, tmp_path
):
    there = load_checkpoint(checkpoint).model.to(device).eval()
    content = read_checkpoint(checkpoint)
    content["state_dict"] = {
        f"model.{name}": value for name, value in there.state_dict().items()
    }
    write_checkpoint(content, tmp_path / "there.ckpt")
    stored = read_checkpoint(tmp_path / "there.ckpt")["state_dict"]
    assert {value.device.type for value in stored.values()} == {"cpu"}
    back = load_checkpoint(tmp_path / "there.ckpt").model.eval()
    expected = score(there, waveforms)
    for model in (back, back.to(device)):
        for mine, theirs in zip(score(model, waveforms), expected, strict=True):
            torch.testing.assert_close(mine, theirs, atol=TOLERANCE, rtol=0)


def test_a_long_recording_is_scored_block_by_block_as_whole(
    device, checkpoint, waveforms
):
    loaded = load_checkpoint(checkpoint)
    model = loaded.model.to(device).eval()
    recording = torch.cat(waveforms)
    [whole] = score(model, [recording])
    with Scratch("a.wav", needed_scratch(model, len(recording)), device) as scratch:
        blocks = score_long(model, recording[None].split(3000, dim=1), scratch, 16)
        found = torch.cat([block[0].cpu() for block in blocks])
    torch.testing.assert_close(found, whole, atol=TOLERANCE, rtol=0)
