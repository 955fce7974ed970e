"""The part `tests`: what is asserted of a GPU."""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from record import Record
from sizes import Sizes

ROOT = Path(__file__).parents[2]


def run_tests(record: Record, sizes: Sizes) -> None:
    """Run pytest on tests/gpu, and keep a row for each test.

    Raises:
        RuntimeError: a test failed, or none ran.
    """
    with tempfile.TemporaryDirectory() as name:
        report = Path(name, "report.xml")
        command = [
            *(sys.executable, "-m", "pytest", "tests/gpu", *sizes.tests),
            *("-p", "no:cacheprovider", f"--junitxml={report}"),
        ]
        try:
            result = subprocess.run(
                command, cwd=ROOT, timeout=max(1.0, record.seconds_left)
            )
        except subprocess.TimeoutExpired:
            record.end("the time was up")
            raise RuntimeError("the tests were not done in time") from None
        outcomes = read_report(report)
    for title, outcome, seconds in outcomes:
        record.add(test=title, outcome=outcome, seconds=seconds)
    record.end()
    if result.returncode:
        raise RuntimeError(f"pytest ended with {result.returncode}; see above")


def read_report(path: Path) -> list[tuple[str, str, float]]:
    """Name, outcome and seconds of each test of a report in JUnit's format."""
    outcomes = []
    for case in ET.parse(path).getroot().iter("testcase"):
        tags = {child.tag for child in case}
        outcome = next(
            (tag for tag in ("failure", "error", "skipped") if tag in tags), "passed"
        )
        module = case.get("classname", "").rpartition(".")[2]
        title = f"{module}: {case.get('name')}"
        outcomes.append((title, outcome, round(float(case.get("time", 0)), 2)))
    return outcomes
