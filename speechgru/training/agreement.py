"""What one process wants and all of them do after the same step."""

import torch
import torch.distributed as dist


class Agreement:
    """Tells all processes at once that one of them was told to end, or to save.

    Processes hear of each other one step late: then the answer is there already, and
    nobody waits. Their messages go over the network of the hosts; GPUs are not asked.

    Args:
        num_processes: of the run; one agrees with itself at once.
    """

    def __init__(self, num_processes: int) -> None:
        # Gloo, in a group of its own: messages of gradients are not mixed in.
        self._group = dist.new_group(backend="gloo") if num_processes > 1 else None
        self._asked = torch.zeros(2, dtype=torch.uint8)
        self._answer: dist.Work | None = None

    def ask(self, stop: bool, save: bool) -> tuple[bool, bool]:
        """Say what this process wants, after every step.

        Returns:
            Whether any process wanted to stop, and to save: after the step before this
            one, where there are several.
        """
        if self._group is None:
            return stop, save
        before = self._hear()
        self._asked = torch.tensor([stop, save], dtype=torch.uint8)
        self._answer = dist.all_reduce(
            self._asked, dist.ReduceOp.MAX, group=self._group, async_op=True
        )
        return before

    def settle(self, stop: bool) -> bool:
        """Whether any process wants to stop, by now; all wait for each other."""
        before, _ = self.ask(stop, False)
        now, _ = self._hear() if self._group is not None else (stop, False)
        return before or now

    def _hear(self) -> tuple[bool, bool]:
        if self._answer is None:
            return False, False
        self._answer.wait()
        self._answer = None
        stop, save = self._asked.tolist()
        return bool(stop), bool(save)
