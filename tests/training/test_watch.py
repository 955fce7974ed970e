"""A run that goes wrong is warned of once; one that goes well is not."""

from speechgru.training.watch import Seen, Watch


def see_all(epochs, steps=100):
    """Warnings by the epoch they came with."""
    watch = Watch()
    warnings = {}
    for epoch, (train, dev, score, unheard) in enumerate(epochs, start=1):
        found = watch.see(Seen(epoch, steps * epoch, train, dev, score, unheard))
        if found:
            warnings[epoch] = "; ".join(found)
    return warnings


# The quickstart's recipe with 500 utterances, 19 steps an epoch.
DIGITS = [
    (5.044, 2.884, 1.000, 1.00), (2.898, 2.597, 1.000, 1.00),
    (2.558, 2.237, 1.000, 0.46), (2.120, 1.433, 0.998, 0.02),
    (1.519, 0.802, 0.942, 0.00), (1.077, 0.401, 0.471, 0.00),
    (0.795, 0.203, 0.263, 0.00), (0.584, 0.170, 0.165, 0.00),
    (0.469, 0.094, 0.065, 0.00), (0.421, 0.077, 0.033, 0.00),
    (0.352, 0.052, 0.031, 0.00), (0.321, 0.034, 0.012, 0.00),
    (0.282, 0.032, 0.006, 0.00), (0.264, 0.031, 0.006, 0.00),
    (0.250, 0.036, 0.006, 0.00), (0.241, 0.033, 0.006, 0.00),
]  # fmt: skip


# A fold of an4/bigru, 61 steps an epoch; its losses are per utterance.
AN4 = [
    (205.086, 73.479, 1.000, 1.0), (61.529, 51.978, 1.000, 1.0),
    (54.042, 46.386, 0.999, 0.5), (46.146, 31.950, 0.949, 0.0),
    (34.669, 21.485, 0.808, 0.0), (26.791, 14.575, 0.486, 0.0),
    (20.625, 10.993, 0.387, 0.0), (17.222, 8.650, 0.286, 0.0),
    (15.382, 8.052, 0.242, 0.0),
]  # fmt: skip


def test_a_run_that_learns_is_not_warned_of():
    for steps in (10, 19, 100, 1000):
        assert see_all(DIGITS, steps) == {}
        assert see_all(AN4, steps) == {}


def test_a_run_that_hears_but_blanks_is_warned_of_early_and_once():
    stuck = [(5.0, 2.90, 1.0, 1.0), *[(2.9, 2.86, 1.0, 1.0)] * 20]
    warnings = see_all(stuck)
    assert list(warnings) == [5]
    assert "since epoch 1, nothing is heard in 100 % of dev" in warnings[5]
    assert "2.86 per token" in warnings[5]
    assert "task.learning_rate" in warnings[5]
    # Epochs of few steps say little.
    assert list(see_all(stuck, steps=10)) == []
    assert list(see_all(stuck, steps=20)) == [16]


def test_a_run_that_hears_nonsense_that_stays_is_warned_of():
    warnings = see_all([(9.1, 8.9, 1.0, 0.0)] * 10)
    assert "no word of dev is recognised" in warnings[5]


def test_a_plateau_that_is_being_left_is_no_reason_to_warn():
    leaving = [(2.9, 2.90 - 0.03 * epoch, 1.0, 1.0) for epoch in range(15)]
    assert see_all(leaving) == {}


def test_a_dev_loss_that_rises_while_that_of_train_falls_is_warned_of_once():
    learnt_by_heart = [
        *((2.0 - 0.3 * e, 1.5 - 0.2 * e, 0.9 - 0.1 * e, 0.0) for e in range(5)),
        *((0.7 / e, 0.7 + 0.05 * e, 0.51, 0.0) for e in range(1, 12)),
    ]
    warnings = see_all(learnt_by_heart)
    assert list(warnings) == [10]
    assert "has risen from 0.7 per token in epoch 5 to 0.95" in warnings[10]
    assert "no epoch since 5 was better" in warnings[10]


def test_a_run_that_diverges_is_told_so():
    diverging = [(4.4 + e, 4.1 + e, 1.0, 0.0) for e in range(10)]
    warnings = see_all(diverging)
    assert "has risen from 4.1 to 8.1 per token: training diverges" in warnings[5]
    assert "a lower task.learning_rate" in warnings[5]


def test_a_rising_loss_does_not_matter_where_no_word_is_wrong():
    perfect = [(0.1 / e, 0.001 + 0.05 * e, 0.0, 0.0) for e in range(1, 20)]
    tiny = [(0.1 / e, 0.0001 * e, 0.5, 0.0) for e in range(1, 20)]
    assert see_all(perfect) == see_all(tiny) == {}


def test_a_rising_loss_does_not_matter_while_fewer_words_are_wrong():
    sure_of_itself = [(1 / e, 0.5 + 0.05 * e, 0.5 / e, 0.0) for e in range(1, 20)]
    assert see_all(sure_of_itself) == {}


def test_a_dev_loss_that_rises_with_that_of_train_is_no_overfitting():
    unstable = [(0.5 + 0.1 * e, 0.5 + 0.1 * e, 0.5, 0.0) for e in range(20)]
    assert see_all(unstable) == {}


def test_a_language_model_never_hears_anything():
    assert see_all([(2.0, 2.0, 2.0, None)] * 20) == {}


def test_a_resumed_run_remembers_what_it_has_seen():
    watch = Watch()
    for epoch in range(1, 5):
        assert not watch.see(Seen(epoch, 100 * epoch, 2.9, 2.9, 1.0, 1.0))
    resumed = Watch()
    resumed.load_state_dict(watch.state_dict())
    assert resumed.see(Seen(5, 500, 2.9, 2.9, 1.0, 1.0))
    again = Watch()
    again.load_state_dict(resumed.state_dict())
    assert not again.see(Seen(6, 600, 2.9, 2.9, 1.0, 1.0))
