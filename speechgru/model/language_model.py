"""A recurrent language model: texts to their probabilities, token by token."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from speechgru.features.padding import send
from speechgru.interfaces import BLANK, InputError, Tokenizer
from speechgru.model.encoders.contract import DirectedEncoder

BOUNDARY = BLANK
"""Stands before the first token and is foreseen behind the last; no text holds it."""


class RecurrentLanguageModel(nn.Module):
    """Foresee each token of a text from those before it.

    Dimensions: B texts, U tokens, C different tokens.

    Args:
        encoder: a DirectedEncoder (`encoders/contract.py`) that does not hear the
            future; its input is as large as its output.
        num_tokens: C, the blank included, which stands for the boundaries.

    Raises:
        InputError: the encoder hears the future, or does not say.

    Source:
        Mikolov et al., "Recurrent neural network based language model",
        Interspeech 2010, here with the gates of the encoder; one matrix for what
        tokens mean and for how they are foreseen: arXiv:1608.05859.
    """

    def __init__(self, encoder: nn.Module, num_tokens: int) -> None:
        super().__init__()
        if not isinstance(encoder, DirectedEncoder):
            raise InputError(
                f"the encoder {type(encoder).__name__} does not say whether it hears "
                "the future, which that of a language model must not; give it "
                "hears_future = False if it does not, or choose a recurrent encoder"
            )
        if encoder.hears_future:
            raise InputError(
                "the encoder of a language model hears the future, expected one that "
                "does not; set encoder.bidirectional=false and encoder.lookahead=0"
            )
        self.encoder = encoder
        self.head = nn.Linear(encoder.output_size, num_tokens)
        nn.init.normal_(self.head.weight, std=encoder.output_size**-0.5)
        self.scale = encoder.output_size**0.5

    @property
    def num_parameters(self) -> int:
        """Number of trained values."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, token_ids: Tensor, lengths: Tensor) -> Tensor:
        """Negative natural log-probabilities of texts, their ends included.

        Args:
            token_ids: (B, U) int64, padded with anything valid.
            lengths: (B,) int64, tokens, each in [0, U]; on the host.

        Returns:
            (B,) float32.
        """
        inputs = F.pad(token_ids, (1, 0), value=BOUNDARY)
        targets = F.pad(token_ids, (0, 1), value=BOUNDARY)
        places = torch.arange(targets.size(1), device=targets.device)
        ends = send(lengths, targets.device)[:, None]
        targets = targets.masked_fill(places == ends, BOUNDARY)
        # Rows as long as 1 are scaled to inputs of a usual size.
        embedded = F.embedding(inputs, self.head.weight) * self.scale
        encoded, _ = self.encoder(embedded, lengths + 1)
        logits = self.head(encoded).float()
        losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
        return losses.masked_fill(places > ends, 0.0).sum(dim=1)


class TextScorer:
    """A language model with its tokenizer.

    Args:
        model: is put into eval mode.
        tokenizer: of its tokens.
    """

    def __init__(self, model: RecurrentLanguageModel, tokenizer: Tokenizer) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer

    @torch.inference_mode()
    def score_texts(self, texts: Sequence[str]) -> list[float]:
        """Natural log-probabilities of whole texts, their ends included.

        Raises:
            InputError: a text that the model's tokens cannot spell.
        """
        if not texts:
            return []
        token_ids = [torch.tensor(self.tokenizer.encode(text)).long() for text in texts]
        lengths = torch.tensor([len(some) for some in token_ids])
        padded = pad_sequence(token_ids, batch_first=True, padding_value=BOUNDARY)
        device = self.model.head.weight.device
        return (-self.model(padded.to(device), lengths)).tolist()
