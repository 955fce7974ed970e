"""The LSTM encoder, to compare with."""

from torch import Tensor, nn

from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder


class LSTMEncoder(TorchRecurrentEncoder):
    """Encode feature frames with stacked long short-term memory.

    Four products a frame where a GRU has three, and a second state. The
    arguments are those of RecurrentEncoder.

    Source:
        Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; forget
        gates of Gers et al. 2000, "Learning to Forget".
    """

    torch_layer = nn.LSTM

    def output_of(self, state: Tensor) -> Tensor:
        """(..., H) that a layer gives out, of its state; the cells follow it."""
        return state[..., : self.hidden_size]
