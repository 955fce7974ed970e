"""How a process uses the machine."""

import ctypes
import multiprocessing
import os
import sys
import threading

import torch

from speechgru.ranges import THREADS, check


def num_processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_with_parent() -> None:
    """End this process of multiprocessing when the one that has started it is gone.

    It may be killed, and then tells nobody; a pool's processes would wait for ever.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None, "this is the main process"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def give_back_memory() -> None:
    """Return what was freed to the system, where the C library keeps it.

    Batches of ever other sizes leave holes in the heap of glibc, which would grow
    for as long as a run lasts.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was no memory left, on whatever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # torch's allocator of the CPU, and libraries of a GPU, have no class of their own.
    said = ("can't allocate memory", "STATUS_ALLOC_FAILED", "out of memory")
    return isinstance(error, RuntimeError) and any(each in str(error) for each in said)


def set_up_cpu(num_threads: int) -> None:
    """Use so many threads, and take what is nearer to 0 than 1e-38 for 0.

    Processors compute with such numbers slowly; the states and gradients of a
    LiGRU fade to them, which made its training take half as long again.

    oneDNN keeps what it prepared for each of the last 1,024 shapes. Batches of speech
    have ever other shapes, so that training in bfloat16 grew from 2.5 to 7 GB within
    an epoch of five hours; the few shapes of one batch are all that recur.

    Raises:
        OptionError: there are not so many threads.
    """
    check("num_threads", num_threads, THREADS)
    # Read when oneDNN is first used.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    torch.set_num_threads(num_threads)
    torch.set_flush_denormal(True)
