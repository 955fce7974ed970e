"""What the encoder receives of a recording that is still going on."""

from speechgru.blocks import BlockStage, BlockStream, Chain, Each, agrees
from speechgru.features.normalize import BlockNorm
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel


def stream_inputs(model: AcousticModel) -> BlockStream:
    """A stream of (B, S) samples to (B, T, F) frames for the encoder, as they come.

    Args:
        model: in eval mode, as masks in training would need the whole.

    Raises:
        InputError: a stage needs the whole recording first.
    """
    normalize = model.normalize
    if not isinstance(normalize, BlockNorm) or normalize.hears_all:
        raise InputError(
            f"normalize is {type(normalize).__name__}, which needs the whole recording "
            "before its first frame, expected one that does not; train with "
            "normalize=global"
        )
    for name, stage in (
        ("features", model.features),
        ("subsampling", model.subsampling),
    ):
        if not isinstance(stage, BlockStage) or not agrees(stage, "by_blocks"):
            raise InputError(
                f"{name} are {type(stage).__name__}, which has no by_blocks beside its "
                "forward, expected a stage that hears a recording as it comes; see "
                "speechgru/blocks.py"
            )
    return Chain(
        [
            model.features.by_blocks(),
            Each(normalize.settle(())),
            model.subsampling.by_blocks(),
        ]
    )
