"""The plain recurrent encoder, to compare with."""

from torch import nn

from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder


class RNNEncoder(TorchRecurrentEncoder):
    """Encode feature frames with stacked tanh units without gates.

    The arguments are those of RecurrentEncoder.

    Source:
        Elman 1990, "Finding Structure in Time".
    """

    torch_layer = nn.RNN
