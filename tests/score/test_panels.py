"""What is drawn of a run, and the picture of it."""

from io import BytesIO

from PIL import Image

from speechgru.score.curves import COLORS, draw_curves
from speechgru.score.panels import make_panels

CURVES = [
    {
        "epoch": float(epoch),
        "train/loss": 100.0 / (epoch + 1),
        "train/loss_per_token": 3.0 / (epoch + 1),
        "val/loss_per_token": 2.0 / (epoch + 1),
        "val/wer": 1.0 / (epoch + 1),
        "train/learning_rate": 1e-3 * (4 - epoch),
    }
    for epoch in range(4)
]


def test_epochs_count_from_one_and_rates_are_per_cent():
    error_rate, _, _ = make_panels(CURVES)
    (line,) = error_rate.lines
    assert (line.name, line.points[0]) == ("words", (1.0, 100.0))
    assert error_rate.title.endswith("(%)")


def test_losses_are_per_token_where_a_run_logs_them():
    _, loss, _ = make_panels(CURVES)
    assert [line.name for line in loss.lines] == ["train", "dev"]
    assert "per token" in loss.title
    (older,) = make_panels([{"epoch": 0.0, "train/loss": 7.0, "val/loss": 5.0}])
    assert older.title == "loss"
    assert [line.points for line in older.lines] == [((1.0, 7.0),), ((1.0, 5.0),)]


def test_what_is_no_finite_number_is_left_out():
    rows = [*CURVES, {"epoch": 4.0, "val/wer": float("nan"), "train/loss": 1e308}]
    assert [panel.lines for panel in make_panels(rows)] == [
        panel.lines for panel in make_panels(CURVES)
    ]


def test_the_picture_shows_train_and_dev_in_their_colours():
    for curves, is_drawn in ((CURVES, True), ([], False)):
        content = draw_curves(curves, "runs/$very_{long/name" * 20)
        picture = Image.open(BytesIO(content)).convert("RGB")
        colors = {color for _, color in picture.getcolors(1 << 24)}
        wanted = {tuple(bytes.fromhex(COLORS[name][1:])) for name in ("train", "dev")}
        assert (wanted <= colors) == is_drawn
