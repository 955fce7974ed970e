"""The measurement at tiny sizes: what it writes and refuses, never how long it took."""

import re

import measure
import pytest
import readme
import rivals
import speed
import torch
from plan import Plan
from rows import Row, format_table, judge
from torch import nn

from speechgru.model.encoders.gru import GRUEncoder

PLAN = Plan(lengths=[5], batches=[1, 3], hidden_size=8, seconds=0.0)
TABLES = {
    "The GRU": ["T", "B", "packed", "plain loop", "torch.gru per direction", "ours"],
    "Half precision, two threads, compilation": [
        "T", "B", "ours", "ours, bf16 autocast", "ours, 2 threads",
        "ours, 2 threads, wall", "plain loop",
    ],
    "The other encoders": [
        "encoder", "T", "B", "packed", "plain loop", "ours", "our GRU"
    ],
}  # fmt: skip
CELL = re.compile(r"[\d.e-]+ (±\d+%|once)(, \d+\.\d\dx)?|-")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> str:
    """The file of a run without a C++ compiler, whose use would take a minute."""
    output = tmp_path_factory.mktemp("speed") / "README.md"
    output.write_text(f"Above.\n\n{readme.BEGIN}\nold\n{readme.END}\n\nBelow.\n")
    arguments = "--lengths 4 5 --batches 1 3 16 --hidden-size 8 --seconds 0"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed.shutil, "which", lambda name: None)
        status = speed.main([*arguments.split(), "--output", str(output)])
    text = output.read_text()
    assert status == int(": broken" in text)
    return text


def read_table(text: str, title: str) -> list[list[str]]:
    """The heads and rows of the table under a title."""
    section = text.partition(f"### {title}\n")[2].partition("\n### ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert set(rows[1]) == {"---"}
    return [rows[0], *rows[2:]]


@pytest.mark.parametrize(("title", "heads"), TABLES.items(), ids=TABLES)
def test_every_table_has_its_columns_and_a_time_in_every_cell(written, title, heads):
    found, *rows = read_table(written, title)
    assert found == heads
    assert rows
    num_labels = found.index("B") + 1
    for row in rows:
        assert len(row) == len(heads)
        for cell in row[num_labels:]:
            assert CELL.fullmatch(cell), cell


def test_every_size_and_encoder_has_a_row(written):
    sizes = [(t, b) for t in ("4", "5") for b in ("1", "3", "16")]
    assert [tuple(row[:2]) for row in read_table(written, "The GRU")[1:]] == sizes
    encoders = ["LSTM", "RNN", "LiGRU", "MinGRU"]
    assert [
        tuple(row[:3]) for row in read_table(written, "The other encoders")[1:]
    ] == [(name, t, b) for t in ("4", "5") for b in ("1", "16") for name in encoders]


def test_only_torch_has_no_packed_layer_for_the_light_and_the_minimal_gru(written):
    for row in read_table(written, "The other encoders")[1:]:
        assert (row[3] == "-") is (row[0] in ("LiGRU", "MinGRU"))


def test_the_report_says_where_and_on_what_it_was_measured(written):
    assert f"torch {torch.__version__}, Python 3." in written
    assert re.search(r"\d{4}-\d\d-\d\d, commit \w+", written)
    assert re.search(r"avx512_bf16 (yes|no), amx_bf16 (yes|no)", written)
    assert "no CUDA device" in written or torch.cuda.is_available()
    assert "torch.compile was not measured" in written


def test_only_what_lies_between_the_markers_is_rewritten(written):
    assert written.startswith(f"Above.\n\n{readme.BEGIN}\n\nForward and backward")
    assert written.endswith(f"\n\n{readme.END}\n\nBelow.\n")
    assert "old" not in written


def test_a_new_file_is_begun_and_one_without_markers_is_left_alone(
    tmp_path, monkeypatch
):
    output = tmp_path / "new.md"
    readme.write_report("first", output)
    readme.write_report("second", output)
    assert output.read_text() == f"{readme.BEGIN}\n\nsecond\n\n{readme.END}\n"
    output.write_text("mine\n")
    with pytest.raises(ValueError, match=r"new\.md: lacks .* add them, or name a new"):
        readme.write_report("third", output)
    assert output.read_text() == "mine\n"
    monkeypatch.setattr(speed, "report", lambda plan: pytest.fail("measured"))
    assert speed.main(["--output", str(output)]) == 1


class Off(nn.Module):
    """An encoder whose output, or one of whose gradients, is wrong."""

    def __init__(self, encoder: nn.Module, output: float, gradient: float) -> None:
        super().__init__()
        self.encoder, self.output = encoder, output
        last = list(encoder.parameters())[-1]
        last.register_hook(lambda value: value * (1 + gradient))

    def forward(self, features, lengths):
        encoded, lengths = self.encoder(features, lengths)
        return encoded + self.output, lengths


@pytest.mark.parametrize(
    ("output", "gradient", "refused"),
    [(0, 0, False), (1e-4, 0, True), (0, 1e-2, True), (float("nan"), 0, True)],
)
def test_a_wrong_variant_is_refused(output, gradient, refused):
    encoder = PLAN.make(GRUEncoder)
    wrong = Off(rivals.plain_loop(encoder), output, gradient)
    variants = {
        "packed": measure.Variant(rivals.Stacked(encoder)),
        "suspect": measure.Variant(wrong, "packed"),
    }
    if not refused:
        measured = measure.measure(variants, PLAN.make_batch(5, 3), 0.0)
        assert {name: len(costs) for name, costs in measured.items()} == {
            "packed": measure.MIN_PASSES,
            "suspect": measure.MIN_PASSES,
        }
        return
    with pytest.raises(ValueError, match="suspect, 3 x 5 frames: the output is off by"):
        measure.measure(variants, PLAN.make_batch(5, 3), 0.0)


def test_a_refusal_ends_the_run_with_status_1_and_writes_nothing(
    monkeypatch, tmp_path, capsys
):
    def wrong_step(*arguments):
        return (1.01 * rivals.gru_step(*arguments)[0],)

    monkeypatch.setitem(rivals.ENCODERS, GRUEncoder, wrong_step)
    output = tmp_path / "speed.md"
    arguments = "--lengths 5 --batches 1 --hidden-size 8 --seconds 0 --output"
    assert speed.main([*arguments.split(), str(output)]) == 1
    assert "plain loop, 1 x 5 frames: the output is off by" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("encoder", rivals.ENCODERS)
def test_every_plain_loop_is_its_encoder_in_values_and_gradients(encoder):
    ours, batch = PLAN.make(encoder), PLAN.make_batch(9, 3)
    variant = measure.Variant(rivals.plain_loop(ours))
    _, expected = measure.run_once(measure.Variant(ours), batch)
    _, result = measure.run_once(variant, batch)
    measure.check_equal("loop", variant, result, expected)
    assert len(result) == 2 + len(list(ours.parameters()))


def test_the_gpu_table_has_every_precision():
    # The same variants run on a CPU, where cuDNN's settings mean nothing.
    rows = speed.measure_gpu(PLAN, "cpu")
    assert [row.heads for row in rows] == [(5, 1), (5, 3)]
    assert list(rows[0].seconds) == [
        f"{name}, {precision}"
        for precision in ("fp32", "tf32", "bf16")
        for name in ("packed", "padded (wrong)", "ours")
    ]


def test_lengths_are_spread_from_half_to_all_of_the_frames():
    assert PLAN.make_batch(584, 1).lengths.tolist() == [584]
    assert PLAN.make_batch(8, 5).lengths.tolist() == [8, 7, 6, 5, 4]


def test_sizes_that_packing_takes_minutes_for_are_left_out():
    plan = Plan([292, 584], [16, 32], 8, 0.0)
    assert plan.sizes() == [(292, 16), (292, 32), (584, 16)]
    assert plan.some_sizes() == [(292, 16)]
    everything = plan._replace(everything=True)
    assert len(everything.sizes()) == len(everything.some_sizes()) == 4


def test_a_cell_holds_median_half_interquartile_range_and_ratio():
    # Quartiles of 1, 2, 3, 4, 10 are 2 and 4: half of 4 - 2 is 33 % of 3.
    row = Row((18, 1), {"ours": [1, 2, 3, 4, 10], "packed": [7.5]})
    table = format_table(("T", "B"), [row], "ours")
    assert table.splitlines()[-1] == "| 18 | 1 | 3 ±33% | 7.5 once, 2.50x |"


def gru_row(length: int, batch: int, loop: float, packed: float):
    seconds = {"ours": [1.0], "plain loop": [loop], "packed": [packed]}
    return Row((length, batch), seconds)


def test_promises_are_kept_at_their_bounds():
    rows = [gru_row(73, 16, 0.95, 1.0), gru_row(146, 1, 0.95, 0.5),
            gru_row(584, 16, 0.95, 3.5)]  # fmt: skip
    assert [kept for kept, _ in judge(rows)] == [True, True, True]


@pytest.mark.parametrize(
    ("row", "broken", "where"),
    [
        (gru_row(292, 4, 0.94, 9.0), 0, "0.94 at T = 292, B = 4"),
        (gru_row(18, 1, 1.5, 0.99), 1, "0.99 at T = 18, B = 1"),
        (gru_row(584, 16, 1.5, 3.49), 2, "3.49 at T = 584, B = 16"),
    ],
)
def test_a_broken_promise_is_named_with_its_size(row, broken, where):
    rows = [gru_row(73, 32, 2.0, 2.0), gru_row(584, 16, 2.0, 5.0)]
    rows = [other for other in rows if other.heads != row.heads]
    judged = judge([*rows, row])
    assert [kept for kept, _ in judged] == [index != broken for index in range(3)]
    assert judged[broken][1].endswith(f"broken; {where}")


def test_what_was_not_measured_breaks_no_promise_and_is_said():
    kept, text = judge([gru_row(18, 1, 2.0, 2.0)])[2]
    assert kept
    assert text.endswith("not measured")
