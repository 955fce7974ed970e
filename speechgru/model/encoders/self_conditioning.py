"""Telling the layers above which tokens the layers so far have heard."""

from torch import Tensor, nn


class SelfConditioning(nn.Module):
    """Add to what leaves a layer what can be heard in it already.

    It is one for all layers, and frames do not hear each other by it.

    Args:
        size: H, units of a frame.
        num_tokens: C, the blank included.

    Attributes:
        head: (..., H) to the scores of (..., C) tokens; that of the whole model, too.

    Source:
        Nozaki and Komatsu, "Relaxing the conditional independence assumption of
        CTC-based ASR by conditioning on intermediate predictions", Interspeech 2021,
        arXiv:2104.02724.
    """

    def __init__(self, size: int, num_tokens: int) -> None:
        super().__init__()
        self.head = nn.Linear(size, num_tokens)
        self.back = nn.Linear(num_tokens, size)

    def forward(self, encoded: Tensor, valid: Tensor | None) -> Tensor:
        """What the next layer receives.

        Args:
            encoded: (..., H) what leaves a layer, zero in padding.
            valid: (...) bool; None: all frames are.

        Returns:
            (..., H), zero in padding.
        """
        # Half precision loses small probabilities.
        posteriors = self.head(encoded).float().softmax(dim=-1)
        heard = self.back(posteriors.to(encoded.dtype))
        return encoded + (heard if valid is None else heard * valid[..., None])
