"""What the page says of how results were made."""

from speechgru.options import DataOptions, TrainOptions, choose
from speechgru.options.config_file import write_config
from speechgru.report.making import (
    describe_decoding,
    describe_training,
    find_unusual,
)


def write_run(folder, **changes):
    options = TrainOptions(corpus=choose("corpus", "yesno"), **changes)
    plain = {**options.to_plain(), "recipe": "mine"}
    write_config(folder / "config.yaml", plain)
    return plain


def test_only_options_that_are_not_the_defaults_are_told(tmp_path):
    write_run(
        tmp_path,
        data=DataOptions(batch_seconds=80.0),
        encoder=choose("encoder", "lstm", dropout=0.25),
        data_dir="/home/me/data",
    )
    rows = {name: (value, default) for name, value, default in find_unusual(tmp_path)}
    assert rows["data.batch_seconds"] == ("80.0", "60.0")
    assert rows["encoder"] == ("LSTMEncoder", "GRUEncoder")
    assert rows["encoder.dropout"][0] == "0.25"
    assert not any(name.startswith(("corpus", "data_dir", "trainer")) for name in rows)


def test_a_run_of_the_defaults_has_nothing_unusual(tmp_path):
    write_run(tmp_path)
    assert find_unusual(tmp_path) == []


def test_what_options_were_before_is_none_of_them(tmp_path):
    plain = write_run(tmp_path, data=DataOptions(batch_seconds=80.0))
    was = [{"until_step": 9, "trainer.max_epochs": 5}]
    write_config(tmp_path / "config.yaml", {**plain, "was": was})
    assert ("data.batch_seconds", "80.0", "60.0") in find_unusual(tmp_path)


def test_an_older_configuration_is_not_guessed_at(tmp_path):
    plain = write_run(tmp_path)
    write_config(tmp_path / "config.yaml", {**plain, "former": 1})
    assert find_unusual(tmp_path) == []


def test_weights_of_the_language_model_are_told():
    decoder = {"_target_": "speechgru.decode.beam.Beam", "lm": "a.arpa", "alpha": 0.7}
    assert describe_decoding({"decoder": decoder, "rescore": None}) == [
        ("decoder", "Beam"),
        ("decoder.lm", "a.arpa"),
        ("decoder.alpha", "0.7"),
    ]
    assert describe_decoding({"rescore": "lm/best.ckpt"}) == [
        ("rescore", "lm/best.ckpt")
    ]
    assert describe_decoding(None) == []


def test_times_of_training_leave_out_pauses(tmp_path):
    write_run(tmp_path)
    (tmp_path / "train.log").write_text(
        "2026-01-01 10:00:00,000 INFO 9 parameters, 3 tokens, mine, speechgru 1\n"
        "2026-01-01 10:00:40,000 INFO epoch 1/2: train/loss 1.0, 40 s\n"
        "2026-01-03 10:00:00,000 INFO 9 parameters, 3 tokens, mine, speechgru 1\n"
        "2026-01-03 10:00:10,000 INFO epoch 2/2: train/loss 1.0, 10 s\n"
    )
    facts = dict(
        describe_training(
            {"model": {"seed": 3, "cpu_seconds": 5.0}},
            [{"epoch": 0.0, "train/cpu_seconds": 30.0}],
            tmp_path,
        )
    )
    assert facts["wall-clock time, without pauses"] == "50 s"
    assert facts["CPU time of the run"] == "30 s"
    logged = [{"epoch": 0.0, "train/wall_seconds": 70.0}]
    facts |= dict(describe_training({}, logged, tmp_path))
    assert facts["wall-clock time, without pauses"] == "1:10 min"
    assert facts["seed"] == "3"
    assert "accelerator cpu" in facts["trained on"]


def test_what_is_not_known_is_not_told(tmp_path):
    assert describe_training(None, [], None) == []
    write_run(tmp_path)
    assert "wall-clock time, without pauses" not in dict(
        describe_training({}, [], tmp_path)
    )
