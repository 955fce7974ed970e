"""What commands can be told: one frozen dataclass per command and group.

`choose("encoder", "gru", hidden_size=256)` gives a part as `conf/` describes it.
"""

from speechgru.options.advising import AdviseOptions
from speechgru.options.choices import choices, choose
from speechgru.options.component import Component
from speechgru.options.corpus import (
    BooksOptions,
    ConvertOptions,
    CutOptions,
    DoctorOptions,
    LmOptions,
    PrepareOptions,
    ShardOptions,
    ShardsOptions,
)
from speechgru.options.evaluation import (
    DecodeOptions,
    EvaluateOptions,
    ReadingOptions,
    SplitOptions,
    TuneOptions,
)
from speechgru.options.making import NewOptions
from speechgru.options.probing import ProbeOptions
from speechgru.options.recipe import read_recipe
from speechgru.options.report import (
    AverageOptions,
    CompareOptions,
    ErrorsOptions,
    InfoOptions,
    ReportOptions,
    RowOptions,
    RunsOptions,
)
from speechgru.options.streaming import StreamOptions
from speechgru.options.training import (
    CallbackOptions,
    DataOptions,
    LoggerOptions,
    TrainerOptions,
    TrainOptions,
)
from speechgru.options.transcription import (
    AlignOptions,
    GatesOptions,
    HearingOptions,
    TranscribeOptions,
)
from speechgru.options.watching import WatchOptions

__all__ = [
    "AdviseOptions",
    "AlignOptions",
    "AverageOptions",
    "BooksOptions",
    "CallbackOptions",
    "CompareOptions",
    "Component",
    "ConvertOptions",
    "CutOptions",
    "DataOptions",
    "DecodeOptions",
    "DoctorOptions",
    "ErrorsOptions",
    "EvaluateOptions",
    "GatesOptions",
    "HearingOptions",
    "InfoOptions",
    "LmOptions",
    "LoggerOptions",
    "NewOptions",
    "PrepareOptions",
    "ProbeOptions",
    "ReadingOptions",
    "ReportOptions",
    "RowOptions",
    "RunsOptions",
    "ShardOptions",
    "ShardsOptions",
    "SplitOptions",
    "StreamOptions",
    "TrainOptions",
    "TrainerOptions",
    "TranscribeOptions",
    "TuneOptions",
    "WatchOptions",
    "choices",
    "choose",
    "read_recipe",
]
