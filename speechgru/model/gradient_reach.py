"""How far back in time the gradient of the loss reaches."""

import torch
import torch.nn.functional as F
from torch import Tensor

from speechgru.interfaces import BLANK, InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.contract import StatefulEncoder


def gradient_reach(
    model: AcousticModel, waveform: Tensor, targets: Tensor, max_distance: int = 200
) -> Tensor:
    """Follow the gradient of one frame's error back through each layer's state.

    The CTC loss of the utterance says how the output of a layer at frame t
    should change. Backpropagation through time carries that wish to the
    layer's own states before t, which is how a recurrent layer learns what to
    remember. Here t is the frame of the loudest wish that has `max_distance`
    frames before it; the forward direction is followed, and of an LSTM both
    the output and the cell.

    Args:
        model: with a StatefulEncoder (`encoders/contract.py`); it is measured in
            eval mode and left as it was.
        waveform: (S,) at the model's sample_rate and dtype, long enough for
            more than max_distance output frames.
        targets: (U,) int64 token ids.
        max_distance: K, frames.

    Returns:
        (layers, K + 1) float32: the norm of d loss / d state k frames before
        t, divided by that at t; its first column is 1.

    Raises:
        InputError: too short an utterance, or another kind of encoder.

    Source:
        Bengio et al. 1994, "Learning Long-Term Dependencies with Gradient
        Descent is Difficult".
    """
    encoder = model.encoder
    if not isinstance(encoder, StatefulEncoder):
        raise InputError(
            f"the encoder is {type(encoder).__name__}, expected a StatefulEncoder "
            f"({StatefulEncoder.__module__}); gradients are followed through layers "
            "that carry a state: choose a recurrent encoder"
        )
    was_training = model.training
    model.eval()
    try:
        inputs, wishes = _layer_gradients(model, waveform, targets)
        if len(inputs[0]) <= max_distance:
            raise InputError(
                f"the utterance has {len(inputs[0])} output frames, expected more "
                f"than {max_distance}; join several"
            )
        curves = []
        for index, (frames, wish) in enumerate(zip(inputs, wishes, strict=True)):
            t = max_distance + int(wish[max_distance:].norm(dim=1).argmax())
            states = encoder.states_of(index, frames[: t + 1])
            loss = encoder.output_of(states[-1])[0, 0] @ wish[t]
            gradients = torch.autograd.grad(loss, states[t - max_distance :])
            norms = torch.stack([gradient[0].norm() for gradient in gradients])
            curves.append(norms.flip(0) / norms[-1])
        return torch.stack(curves)
    finally:
        model.train(was_training)


def _layer_gradients(
    model: AcousticModel, waveform: Tensor, targets: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """(T, F) inputs of each layer, and (T, H) d loss / d output, forward."""
    frames, lengths = model.encoder_inputs(
        waveform[None], torch.tensor([len(waveform)], device=waveform.device)
    )
    steps = list(model.encoder.walk(frames, lengths))
    outputs = [output for _, output in steps]
    log_probs = model.log_probs(model.encoder.finish(outputs[-1]))
    loss = F.ctc_loss(
        log_probs.transpose(0, 1), targets[None], lengths,
        torch.tensor([len(targets)]), blank=BLANK, reduction="sum",
    )  # fmt: skip
    wishes = torch.autograd.grad(loss, outputs)
    hidden = model.encoder.hidden_size
    return (
        [frames[0].detach() for frames, _ in steps],
        [wish[0, :, :hidden] for wish in wishes],
    )
