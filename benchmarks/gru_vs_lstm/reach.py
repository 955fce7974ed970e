"""How far back gradients reach in a model, before and after its training."""

import torch
from planned import MAX_DISTANCE, Run
from torch import Tensor

from speechgru.audio import load_audio
from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.models import build_model
from speechgru.data.corpora.corpus import Corpus
from speechgru.factory import build_corpus
from speechgru.interfaces import Tokenizer, Utterance
from speechgru.model.gradient_reach import gradient_reach
from speechgru.options import choose
from speechgru.options.choices import default_data_dir

NUM_JOINED = 4  # waveforms, joined from utterances of dev, to follow gradients in
JOINED_SECONDS = 15  # s, at least, of each
SAMPLE_RATE = 16000  # Hz


def measure_reach(run: Run) -> dict[str, list[float]]:
    """log10 of the gradient's norm, k frames back, before and after training.

    The mean over layers and over utterances of dev, each joined from several
    of one speaker. "start" is a new model of the same seed.
    """
    torch.set_num_threads(1)
    trained = load_checkpoint(run.folder / "best.ckpt")
    joined = joined_utterances(open_corpus(run), trained.tokenizer, NUM_JOINED)
    torch.manual_seed(run.seed)
    new = build_model(trained.model_config, len(trained.tokenizer.tokens))
    reach = {}
    for moment, model in (("start", new), ("end", trained.model)):
        model.double()  # norms fall below the smallest float32
        curves = [
            gradient_reach(model, waveform.double(), targets, MAX_DISTANCE).log10()
            for waveform, targets in joined
        ]
        mean = torch.stack(curves).mean(dim=(0, 1))
        reach[moment] = [round(value, 3) for value in mean.tolist()]
    return reach


def open_corpus(run: Run) -> Corpus:
    """The corpus that a run was trained on."""
    name, options = run.corpus_choice
    return build_corpus(choose("corpus", name, default_data_dir(), **options))


def joined_utterances(
    corpus: Corpus, tokenizer: Tokenizer, count: int
) -> list[tuple[Tensor, Tensor]]:
    """Waveforms of JOINED_SECONDS from one speaker's dev utterances, and targets."""
    by_speaker: dict[str | None, list[Utterance]] = {}
    for utterance in corpus.read("dev"):
        by_speaker.setdefault(utterance.speaker, []).append(utterance)
    joined = []
    for utterances in list(by_speaker.values())[:count]:
        parts, targets = [], []
        while sum(map(len, parts)) < JOINED_SECONDS * SAMPLE_RATE:
            utterance = utterances.pop(0)
            parts.append(load_audio(utterance.audio_path, SAMPLE_RATE, resample=False))
            targets += tokenizer.encode(utterance.text)
        joined.append((torch.cat(parts), torch.tensor(targets)))
    return joined
