"""Randomness that is keyed, never carried.

Whatever is drawn for an utterance or a batch depends on its key alone, not on
what was drawn before it. So a resumed run draws what the first one would
have, with any number of workers, and no random state is ever saved.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray


def keyed_seed(*key: int | str) -> int:
    """Hash a key, e.g. (seed, epoch, utterance id), to a 63-bit seed."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def keyed_numbers(count: int, *key: int | str) -> NDArray[np.uint64]:
    """Draw (count,) 64-bit numbers; those of one key are the same everywhere.

    They come from the bits of Philox, which NumPy promises to keep; of what it makes
    of such bits, permutations for one, it does not.
    """
    return np.random.Philox(key=keyed_seed(*key)).random_raw(count)
