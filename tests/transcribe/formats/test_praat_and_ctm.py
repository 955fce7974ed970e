from speechgru.interfaces import Span
from speechgru.transcribe.formats import ctm, textgrid
from speechgru.transcribe.transcript import Transcript

WORDS = (Span('A"B', 0.5, 1.0, 0.98765), Span("C", 1.0, 1.25, 1.0))


def make(words: tuple[Span, ...]) -> Transcript:
    return Transcript("d/é t.wav", "", 2.0, -1.0, 0.9, words, words)


def test_a_line_of_ctm_is_a_word_with_start_and_duration():
    assert ctm.render(make(WORDS), named=True) == (
        'd/%C3%A9%20t.wav 1 0.500 0.500 A"B 0.9877\n'
        "d/%C3%A9%20t.wav 1 1.000 0.250 C 1.0000\n"
    )
    assert ctm.render(make(()), named=True) == ""


def test_a_textgrid_leaves_no_time_out_and_doubles_quotes():
    lines = textgrid.render(make(WORDS), named=False).splitlines()
    assert lines[0] == 'File type = "ooTextFile"'
    texts = [line.strip() for line in lines if "text =" in line]
    assert texts == 2 * ['text = ""', 'text = "A""B"', 'text = "C"', 'text = ""']


def test_intervals_never_overlap():
    words = (Span("A", 1.0, 2.02, 0.9), Span("B", 2.0, 2.5, 0.9))
    lines = [line.strip() for line in textgrid.render(make(words), False).splitlines()]
    at = lines.index('text = "B"')
    assert lines[at - 2 : at] == ["xmin = 2.020000", "xmax = 2.500000"]
