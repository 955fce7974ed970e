from speechgru.evaluation.summary_text import describe
from speechgru.score.results import make_result
from speechgru.score.summary import summarise


def test_speakers_with_long_names_keep_their_rows_and_leave_room():
    results = [
        make_result(
            f"{speaker}", "GO", hypothesis, "levenshtein", speaker=60 * "a" + speaker
        )
        for speaker, hypothesis in (("1", "GO"), ("2", "NO"))
    ]
    lines = describe(summarise(results), "a corpus").splitlines()
    rows = [line for line in lines if line.startswith("aaa")]
    assert sorted(row.split()[:3] for row in rows) == [
        [21 * "a" + "...", "1", "0.00"],
        [21 * "a" + "...", "1", "100.00"],
    ]
