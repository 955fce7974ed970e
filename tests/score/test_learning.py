import pytest

from speechgru.interfaces import InputError
from speechgru.score.learning import read_learning_curves


def test_a_resumed_run_is_read_as_one(tmp_path):
    head = "epoch,step,train/cpu_seconds,val/wer\n"
    for version, rows in enumerate(
        [
            "0,9,,0.5\n0,9,20.0,\n1,19,,0.4\n1,19,30.0,\n2,22,,\n",
            "2,29,,0.3\n2,29,45.0,\n3,39,,0.2\n3,39,57.0,\n",
        ]
    ):
        folder = tmp_path / "metrics" / f"version_{version}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(head + rows)
    curves = read_learning_curves(tmp_path)
    assert [row["epoch"] for row in curves] == [0, 1, 2, 3]
    assert [row["val/wer"] for row in curves] == [0.5, 0.4, 0.3, 0.2]
    assert [row["train/cpu_seconds"] for row in curves] == [20, 30, 45, 57]


def test_versions_count_as_numbers(tmp_path):
    for version, wer in ((2, 0.5), (10, 0.4)):
        folder = tmp_path / "metrics" / f"version_{version}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(f"epoch,step,val/wer\n0,9,{wer}\n")
    assert [row["val/wer"] for row in read_learning_curves(tmp_path)] == [0.4]


def test_a_line_that_is_still_being_written_is_left_out(tmp_path):
    folder = tmp_path / "metrics" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("epoch,step,val/wer\n0,9,0.5\n1,19,0.0")
    assert [row["val/wer"] for row in read_learning_curves(tmp_path)] == [0.5]


@pytest.mark.parametrize("content", ["epoch,step\nx,3\n", "step\n3\n", "epoch\n1,2\n"])
def test_damaged_metrics_are_named(tmp_path, content):
    folder = tmp_path / "metrics" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text(content)
    with pytest.raises(InputError, match=r"version_0/metrics.csv: not what a run logs"):
        read_learning_curves(tmp_path)


def test_a_folder_without_metrics_has_learned_nothing(tmp_path):
    assert read_learning_curves(tmp_path) == []


def test_copies_of_a_version_are_none_of_the_run(tmp_path):
    for name, wer in (("version_0", 0.5), ("version_0 (copy)", 0.1), ("version_b", 0)):
        folder = tmp_path / "metrics" / name
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(f"epoch,step,val/wer\n0,9,{wer}\n")
    assert [row["val/wer"] for row in read_learning_curves(tmp_path)] == [0.5]
