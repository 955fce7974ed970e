"""What one process wants and all of them do after the same step."""

import torch
import torch.distributed as dist


class Agreement:
    """Tells all processes at once what one of them wants: to end, to save, to turn.

    Processes hear of each other one step late: then the answer is there already, and
    nobody waits. Their messages go over the network of the hosts; GPUs are not asked.

    Args:
        num_processes: of the run; one agrees with itself at once.
    """

    def __init__(self, num_processes: int) -> None:
        # Gloo, in a group of its own: messages of gradients are not mixed in.
        self._group = dist.new_group(backend="gloo") if num_processes > 1 else None
        self._asked = torch.zeros(0, dtype=torch.int64)
        self._answer: dist.Work | None = None

    def ask(self, *wishes: int) -> tuple[int, ...]:
        """Say what this process wants, after every step; 0 or False: nothing.

        Returns:
            The most that any process wanted, of each: after the step before this one,
            where there are several.
        """
        if self._group is None:
            return wishes
        before = self._hear(len(wishes))
        self._asked = torch.tensor(wishes, dtype=torch.int64)
        self._answer = dist.all_reduce(
            self._asked, dist.ReduceOp.MAX, group=self._group, async_op=True
        )
        return before

    def settle(self, *wishes: int) -> tuple[int, ...]:
        """The most that any process wants by now, of each; all wait for each other."""
        before = self.ask(*wishes)
        now = wishes if self._group is None else self._hear(len(wishes))
        return tuple(map(max, before, now))

    def _hear(self, num_wishes: int) -> tuple[int, ...]:
        if self._answer is None:
            return (0,) * num_wishes
        self._answer.wait()
        self._answer = None
        return tuple(self._asked.tolist())
