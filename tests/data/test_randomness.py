from speechgru.data.randomness import keyed_seed


def test_the_same_key_gives_the_same_seed_in_every_process():
    # Pinned: another value would change every run that is resumed.
    assert keyed_seed("augment", 1, 0, "an251-fash-b") == 3381683500823323722
    assert keyed_seed("plan", 1, 0) == 7019605522953331596


def test_keys_that_differ_in_any_part_give_other_seeds():
    keys = [
        ("plan", 1, 0),
        ("plan", 0, 1),
        ("plan", 10),
        ("plan", "1", 0),
        ("step", 1, 0),
    ]
    assert len({keyed_seed(*key) for key in keys}) == len(keys)


def test_seeds_fit_into_63_bits():
    seeds = [keyed_seed(index) for index in range(2000)]
    assert min(seeds) >= 0
    assert 2**62 < max(seeds) < 2**63
