"""The picture of the learning curves beside a run that trains."""

from types import SimpleNamespace

from speechgru.training.curves import Curves


def test_damaged_metrics_do_not_end_a_training(tmp_path, caplog):
    metrics = tmp_path / "metrics" / "version_0" / "metrics.csv"
    metrics.parent.mkdir(parents=True)
    trainer = SimpleNamespace(is_global_zero=True, loggers=[])
    metrics.write_text("epoch,step\nx,3\n")
    Curves(tmp_path, 0.0).on_train_end(trainer, None)
    assert "curves.png is not drawn: " in caplog.text
    assert not (tmp_path / "curves.png").exists()
    metrics.write_text("epoch,step,val/wer\n0,9,0.5\n")
    Curves(tmp_path, 0.0).on_train_end(trainer, None)
    assert (tmp_path / "curves.png").exists()
