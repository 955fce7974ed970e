"""The lattice of a long text gives what torch and torchaudio give of a short one."""

import math
from itertools import pairwise

import pytest
import torch
from torchaudio.functional import forced_align

from speechgru.decode import align, lattice
from speechgru.decode.align import align_text
from speechgru.decode.lattice import Lattice
from speechgru.text.tokenizer import CharacterTokenizer


def make_scores(num_frames: int, num_tokens: int = 5, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    scores = 2 * torch.randn(num_frames, num_tokens, generator=generator)
    return scores.log_softmax(dim=-1)


def path_score(log_probs: torch.Tensor, path: list[int]) -> float:
    return log_probs.double().gather(1, torch.tensor(path)[:, None]).sum().item()


TEXTS = [[1], [1, 1], [2, 2, 2, 3], [1, 2, 3, 4, 4, 3, 2, 2, 1, 1, 1, 4, 2]]


@pytest.mark.parametrize("ids", TEXTS)
@pytest.mark.parametrize("num_frames", [1, 3, 7, 19, 20, 64, 65])
@pytest.mark.parametrize("segment", [1, 4, 1000])
def test_path_and_sum_are_those_of_the_whole(ids, num_frames, segment, monkeypatch):
    needed = len(ids) + sum(a == b for a, b in pairwise(ids))
    if num_frames < needed:
        return  # refused before
    monkeypatch.setattr(lattice, "SEGMENT", segment)
    log_probs = make_scores(num_frames)
    path = Lattice(log_probs, ids).best_path()
    [expected], _ = forced_align(log_probs[None], torch.tensor([ids]), blank=0)
    assert path == expected.tolist()
    loss = torch.nn.functional.ctc_loss(
        log_probs.double(), torch.tensor(ids), torch.tensor(num_frames),
        torch.tensor(len(ids)), reduction="sum",
    )  # fmt: skip
    assert Lattice(log_probs, ids).total() == pytest.approx(-loss.item(), abs=1e-9)


def test_a_path_over_many_segments_spells_the_text_as_well_as_the_best(monkeypatch):
    monkeypatch.setattr(lattice, "SEGMENT", 50)
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(1, 5, (400,), generator=generator).tolist()
    log_probs = make_scores(2000, seed=2)
    path = Lattice(log_probs, ids).best_path()
    [expected], _ = forced_align(log_probs[None], torch.tensor([ids]), blank=0)
    best = path_score(log_probs, expected.tolist())
    assert path_score(log_probs, path) == pytest.approx(best, abs=1e-2)
    assert path_score(log_probs, path) >= best - 1e-9  # whose sums are of float32
    spelled = [
        one for one, before in zip(path, [0, *path], strict=False) if one != before
    ]
    assert [one for one in spelled if one] == ids


def test_times_and_score_of_a_text_are_the_same_by_the_lattice(monkeypatch):
    tokenizer = CharacterTokenizer(" ABC")
    log_probs = make_scores(120)
    ids = tokenizer.encode("AB CAAB BAC")
    expected = align_text(log_probs, ids, tokenizer, 0.02, tokenizer.decode(ids))
    monkeypatch.setattr(align, "LARGEST", 10)
    found = align_text(log_probs, ids, tokenizer, 0.02, tokenizer.decode(ids))
    assert found.tokens == expected.tokens
    assert found.words == expected.words
    assert math.isclose(found.score, expected.score, abs_tol=1e-3)
