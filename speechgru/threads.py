"""How a process uses the processor."""

import torch

from speechgru.ranges import THREADS, check


def set_up_cpu(num_threads: int) -> None:
    """Use so many threads, and take what is nearer to 0 than 1e-38 for 0.

    Processors compute with such numbers slowly; the states and gradients of a
    LiGRU fade to them, which made its training take half as long again.

    Raises:
        OptionError: there are not so many threads.
    """
    check("num_threads", num_threads, THREADS)
    torch.set_num_threads(num_threads)
    torch.set_flush_denormal(True)
