"""Where a model is."""

from itertools import chain

import torch
from torch import nn


def device_of(model: nn.Module) -> torch.device:
    """Where the weights of a model are."""
    tensors = chain(model.parameters(), model.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))
