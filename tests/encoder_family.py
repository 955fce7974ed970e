"""The recurrent encoders, in one list, which all tests of the family run over.

A new encoder is entered in MEMBERS, and nowhere else; a test finds one that is not.
"""

import pytest

from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.ligru import LiGRUEncoder
from speechgru.model.encoders.lstm import LSTMEncoder
from speechgru.model.encoders.mingru import MinGRUEncoder
from speechgru.model.encoders.rnn import RNNEncoder
from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder

MEMBERS = [GRUEncoder, LSTMEncoder, RNNEncoder, LiGRUEncoder, MinGRUEncoder]
WITHOUT_RECURRENT_WEIGHTS = [each for each in MEMBERS if not each.has_recurrent_weights]
OF_TORCH = [each for each in MEMBERS if issubclass(each, TorchRecurrentEncoder)]

each_member = pytest.mark.parametrize("member", MEMBERS)
