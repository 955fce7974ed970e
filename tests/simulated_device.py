"""A device like a GPU, simulated on a CPU: what it cannot do, and what makes it wait.

Its tensors wrap tensors of the CPU. As on a GPU, an operation that mixes them with
tensors of the host is an error. Whatever would make the host wait for the device is
noted with the line of ours that asked for it: reading a value back, an operation
whose size depends on values, a copy that is not `non_blocking`.

What a kernel of torch does inside is not seen. Importing this file registers a device
type with torch, for the life of the process: give such tests a process of their own.
"""

import traceback
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

_setup_privateuseone_for_python_backend("simulated")
torch.simulated.get_amp_supported_dtype = lambda: [torch.bfloat16, torch.float16]
DEVICE = torch.device("simulated:0")

SIZED_BY_VALUES = {"nonzero", "masked_select", "_unique2", "unique_dim", "bincount"}
TAKES_HOST_LENGTHS = {"_ctc_loss", "_ctc_loss_backward", "gru", "lstm"}
COPIES = {"copy_", "_to_copy", "_copy_from", "lift_fresh_copy"}
LIBRARIES = ("site-packages", "importlib", "contextlib", "tests/simulated_device")


def gru_cell(input_gates, hidden_gates, state, input_bias, hidden_bias):
    """A step of a GRU, as torch has it for GPUs only, and what its way back needs."""
    reset, update, new = (input_gates + input_bias).chunk(3, 1)
    state_reset, state_update, state_new = (hidden_gates + hidden_bias).chunk(3, 1)
    reset, update = (reset + state_reset).sigmoid(), (update + state_update).sigmoid()
    new = (new + reset * state_new).tanh()
    kept = torch.cat([reset, update, new, state, state_new], dim=1)
    return torch.lerp(new, state, update), kept


def gru_cell_backward(gradient, kept, has_bias):
    """Gradients of the arguments of `gru_cell`."""
    reset, update, new, state, state_new = kept.chunk(5, 1)
    d_update = gradient * (state - new) * update * (1 - update)
    d_new = gradient * (1 - update) * (1 - new.square())
    d_reset = d_new * state_new * reset * (1 - reset)
    of_input = torch.cat([d_reset, d_update, d_new], dim=1)
    of_state = torch.cat([d_reset, d_update, d_new * reset], dim=1)
    return of_input, of_state, gradient * update, of_input.sum(0), of_state.sum(0)


KERNELS = {
    "_thnn_fused_gru_cell": gru_cell,
    "_thnn_fused_gru_cell_backward": gru_cell_backward,
}


class SimulatedTensor(torch.Tensor):
    """A tensor on the simulated device.

    Args:
        raw: its values, on the CPU.
    """

    raw: torch.Tensor

    @staticmethod
    def __new__(cls, raw, requires_grad=False):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=DEVICE,
            requires_grad=requires_grad,
        )
        made.raw = raw
        return made

    def __repr__(self):
        return f"SimulatedTensor({self.raw})"

    def __reduce_ex__(self, protocol):
        return self.raw.__reduce_ex__(protocol)  # a checkpoint knows no devices

    def __format__(self, form):
        return format(self.item() if form else repr(self), form)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})


waits = []
"""Of the run so far: (operation, line) each."""


def run(func, args, kwargs):
    """Run an operation on the values, as the device it belongs to would."""
    name = func.overloadpacket.__name__
    target = kwargs.get("device")
    target = None if target is None else torch.device(target).type
    given = tree_leaves((args, kwargs))
    inside = [each for each in given if isinstance(each, SimulatedTensor)]
    outside = [
        each
        for each in given
        if isinstance(each, torch.Tensor) and not isinstance(each, SimulatedTensor)
    ]
    if not inside and target != DEVICE.type:
        return func(*args, **kwargs)
    if name in COPIES:
        crosses = bool(outside) if name == "copy_" else not inside or target == "cpu"
        blocks = not (kwargs.get("non_blocking") or (len(args) > 2 and args[2] is True))
        if crosses and (blocks or leaves(name, args, target)):
            note(name)
    elif name in SIZED_BY_VALUES or name in ("_local_scalar_dense", "equal"):
        note(name)
    elif name in ("index", "index_put", "index_put_", "_index_put_impl_"):
        if any(
            getattr(index, "dtype", None) in (torch.bool, torch.uint8)
            for index in args[1]
            if index is not None
        ):
            note(f"{name} by a mask")
        outside = [each for each in outside if each.dim()]
        if outside:
            note(f"{name} by a tensor of the host")
    elif name == "repeat_interleave" and kwargs.get("output_size") is None:
        note(name)
    elif any(each.dim() for each in outside) and name not in TAKES_HOST_LENGTHS:
        shapes = [tuple(each.shape) for each in outside]
        raise RuntimeError(
            f"{func} of tensors on {DEVICE} and {shapes} on the cpu, at {find_line()}"
        )
    if target == DEVICE.type:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    kwargs.pop("pin_memory", None)
    values, options = tree_map_only(SimulatedTensor, lambda t: t.raw, (args, kwargs))
    result = KERNELS.get(name, func)(*values, **options)
    if torch.Tag.inplace_view in func.tags:
        with no_dispatch():
            func(*args, **kwargs)  # let the wrapper have its new shape, too
    if name == "_to_copy" and target == "cpu":
        return result
    if name == "_to_copy" and result is values[0]:
        result = result.clone()
    known = {id(each.raw): each for each in inside}
    host = {id(each) for each in outside}

    def wrap(tensor):
        if id(tensor) in host:
            return tensor
        return known[id(tensor)] if id(tensor) in known else SimulatedTensor(tensor)

    return tree_map_only(torch.Tensor, wrap, result)


def leaves(name, args, target):
    """Whether a copy goes from the device to the host."""
    if name == "copy_":
        return not isinstance(args[0], SimulatedTensor)
    return target == "cpu"


def note(operation):
    """Write down that the host waits."""
    waits.append((operation, find_line()))


def find_line():
    """The line of ours that is to blame: the innermost, or Lightning's."""
    frames = traceback.extract_stack()
    ours = [
        frame
        for frame in frames
        if not any(part in frame.filename for part in LIBRARIES)
        and "speechgru" in frame.filename
    ]
    frame = ours[-1] if ours else frames[-min(8, len(frames))]
    return f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.line}"


class _Factories(TorchDispatchMode):
    """Lets torch.zeros(..., device=DEVICE) and tensor.to(DEVICE) work."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})


@contextmanager
def simulated():
    """Have the device, and write down from now on what makes the host wait."""
    waits.clear()
    # torch.tensor(..., device=DEVICE) first makes a tensor on the CPU, then copies it.
    torch._C._set_only_lift_cpu_tensors(True)
    with _Factories():
        yield waits


def count(noted):
    """How often each line made the host wait, the worst first."""
    return Counter(noted).most_common()
