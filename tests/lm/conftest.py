import random

import pytest


@pytest.fixture(scope="session")
def sentences() -> list[list[str]]:
    """300 sentences of words as frequent as words are, some of them empty."""
    generator = random.Random(1)
    words = [f"w{index}" for index in range(40)]
    return [
        [
            words[min(39, int(generator.expovariate(0.15)))]
            for _ in range(generator.randint(0, 8))
        ]
        for _ in range(300)
    ]
