from speechgru.interfaces import Hypothesis, Span
from speechgru.transcribe.transcript import Transcript


def test_no_word_ends_behind_the_recording():
    spans = (Span("A", 0.5, 0.98, 0.9), Span("B", 0.98, 1.02, 0.9))
    heard = Transcript.of("a.wav", Hypothesis("AB", -1.0, spans, spans), 1.0)
    assert [(span.start, span.end) for span in heard.words] == [(0.5, 0.98), (0.98, 1)]
    assert heard.tokens == heard.words
