"""What goes through block by block leaves as it would from the whole."""

import pytest
import torch

from speechgru.blocks import Chain, Each, Windows, run_through


def sums(window: int, step: int):
    return lambda frames: frames.unfold(1, window, step).sum(-1)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(("window", "step"), [(3, 1), (4, 4), (5, 2), (2, 5)])
def test_windows_slide_over_blocks_as_over_the_whole(size, window, step):
    recording = torch.arange(1.0, 38.0)[None]
    padded = torch.nn.functional.pad(recording, (2, 1))
    stream = Windows(sums(window, step), window, step, before=2, after=1)
    left = torch.cat([*run_through(stream, recording.split(size, dim=1))], dim=1)
    assert torch.equal(left, sums(window, step)(padded))


def test_what_the_first_stage_ends_with_goes_through_the_second():
    def chain() -> Chain:
        pairs = Windows(sums(2, 2), 2, 2, after=1)
        triples = Windows(sums(3, 1), 3, before=1, after=1)
        return Chain([pairs, Each(torch.neg), triples])

    recording = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])
    # Pairs are 3, 7 and 5, the last filled up with zero.
    for size in (1, 2, 5):
        blocks = run_through(chain(), recording.split(size, dim=1))
        assert torch.cat([*blocks], dim=1).tolist() == [[-10.0, -15.0, -12.0]]


def test_a_recording_shorter_than_every_window_gives_nothing():
    stream = Windows(sums(4, 1), 4)
    assert [*run_through(stream, [torch.ones(1, 3)])] == []
    assert [*run_through(Windows(sums(4, 1), 4, after=9), [])] == []


def test_a_stream_keeps_no_more_than_it_still_needs():
    stream = Windows(sums(5, 2), 5, 2)
    stream.push(torch.ones(1, 1_000_001))
    assert stream._held.untyped_storage().nbytes() <= 4 * 5


def test_a_copy_goes_on_by_itself():
    recording = torch.arange(1.0, 30.0)[None]

    def chain() -> Chain:
        return Chain([Windows(sums(3, 2), 3, 2, 1, 1), Each(torch.neg)])

    stream = chain()
    stream.push(recording[:, :12])
    other = stream.copy()
    other.push(7 * recording)
    other.finish()
    rest = [stream.push(recording[:, 12:]), stream.finish()]
    whole = torch.cat([*run_through(chain(), [recording])], dim=1)
    left = torch.cat([each for each in rest if each is not None], dim=1)
    assert torch.equal(left, whole[:, -left.size(1) :])
