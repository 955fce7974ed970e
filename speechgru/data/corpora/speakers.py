"""Splits by speakers, for corpora that have none of their own."""

from collections.abc import Mapping

from speechgru.data.randomness import keyed_seed


def deal_speakers(
    num_utterances: Mapping[str, int], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Deal whole speakers to splits, so that none is in two.

    Split by split, speakers are taken in an order that follows from the seed and
    their names alone, each whose utterances fit into what the split may have.
    Whoever has many so comes to train. A split into which nobody fits gets whoever
    has fewest, unless train would be left with nobody.

    Args:
        num_utterances: of each speaker.
        shares: of all utterances, at most, for each split but train.
        seed: of the order.

    Returns:
        The split of each speaker: one of `shares`, or train.

    Examples:
        >>> deal_speakers({"ann": 8, "bob": 1, "cem": 1}, {"test": 0.1}, seed=0)
        {'ann': 'train', 'bob': 'train', 'cem': 'test'}
    """
    total = sum(num_utterances.values())
    waiting = sorted(num_utterances, key=lambda name: (keyed_seed(seed, name), name))
    dealt: dict[str, str] = {}
    for split, share in shares.items():
        room = share * total
        taken = []
        for speaker in waiting:
            if num_utterances[speaker] <= room:
                room -= num_utterances[speaker]
                taken.append(speaker)
        if len(taken) == len(waiting):  # train would have nobody
            taken = taken[1:]
        if not taken and share > 0 and len(waiting) > 1:
            taken = [min(waiting, key=lambda name: num_utterances[name])]
        dealt |= dict.fromkeys(taken, split)
        waiting = [speaker for speaker in waiting if speaker not in dealt]
    return {speaker: dealt.get(speaker, "train") for speaker in num_utterances}
