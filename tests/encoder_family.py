"""The recurrent encoders, in one list, which all tests of the family run over.

A new encoder is entered in MEMBERS, and where it says so in the lists below.
"""

import pytest

from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.ligru import LiGRUEncoder
from speechgru.model.encoders.lstm import LSTMEncoder
from speechgru.model.encoders.mingru import MinGRUEncoder
from speechgru.model.encoders.rnn import RNNEncoder
from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder

MEMBERS = [GRUEncoder, LSTMEncoder, RNNEncoder, LiGRUEncoder, MinGRUEncoder]
WITHOUT_RECURRENT_WEIGHTS = [MinGRUEncoder]
OF_TORCH = [member for member in MEMBERS if issubclass(member, TorchRecurrentEncoder)]

each_member = pytest.mark.parametrize("member", MEMBERS)
