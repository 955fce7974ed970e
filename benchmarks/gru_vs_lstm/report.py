"""Make the table and the two plots of README.md from results.jsonl."""

import json
import re

from planned import RESULTS, planned_runs
from plots import plot_accuracy, plot_reach
from tables import make_length_table, make_rate_table, make_table

HERE = RESULTS.parent
README = HERE / "README.md"


def main() -> None:
    """Rewrite what lies between the marks, and the plots."""
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    progress = f"{len(lines)} of {len(list(planned_runs()))} runs are finished."
    results = f"{progress}\n\n{make_table(lines)}"
    text = put_between_marks(README.read_text(), "results", results)
    text = put_between_marks(text, "rates", make_rate_table(lines))
    text = put_between_marks(text, "lengths", make_length_table(lines))
    README.write_text(text)
    plot_accuracy(lines).savefig(HERE / "accuracy.svg", metadata={"Date": None})
    plot_reach(lines).savefig(HERE / "reach.svg", metadata={"Date": None})


def put_between_marks(text: str, name: str, content: str) -> str:
    """Replace what lies between <!-- name --> and <!-- end of name -->."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = f"{re.escape(start)}.*{re.escape(end)}"
    replaced, count = re.subn(
        pattern, lambda _: f"{start}\n\n{content}\n\n{end}", text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"{count} parts between {start} and {end}, expected 1")
    return replaced


if __name__ == "__main__":
    main()
