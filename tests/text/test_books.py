import pytest

from speechgru.text.books import in_letters, read_sentences

pytest.importorskip("num2words", reason="num2words is not installed")

BOOK = """The Project Gutenberg EBook of Nothing, by Nobody

Title: Nothing

*** START OF THIS PROJECT GUTENBERG EBOOK NOTHING ***

Produced by A. Volunteer, whose name has letters.

                CHAPTER I.

“Mr. Brown,” said Mrs. Dash [1], “paid _12_
pounds to-day!”  He hadn't; the boys' dog
had.  'Tis 'so,' she said.

[Illustration: A dog, that sleeps.]

1  2  3  4.

Père Æsop & Dr. Col lived at St. Ives, in a house.  Yes.

*** END OF THIS PROJECT GUTENBERG EBOOK NOTHING ***

This and all associated files are of the licence, indeed.
"""


def test_a_book_becomes_sentences_as_librispeech_writes_them():
    assert list(read_sentences(BOOK)) == [
        "MISTER BROWN SAID MISSUS DASH PAID TWELVE POUNDS TO DAY",
        "HE HADN'T THE BOYS' DOG HAD",
        "'TIS SO SHE SAID",
        "PERE AESOP AND DOCTOR COL LIVED AT SAINT IVES IN A HOUSE",
    ]


def test_line_ends_of_windows_change_nothing():
    windows = BOOK.replace("\n", "\r\n")
    assert list(read_sentences(windows)) == list(read_sentences(BOOK))


def test_a_text_without_the_projects_marks_is_all_book():
    assert list(read_sentences("He went.  She stayed.")) == ["HE WENT", "SHE STAYED"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("‘Don’t,’ he said", "DON'T HE SAID"),
        ("'em and ''tis it'", "'EM AND 'TIS IT"),
        ("rock-'n'-roll", "ROCK N ROLL"),
        ("naïve – œuvre", "NAIVE OEUVRE"),
    ],
)
def test_only_letters_and_apostrophes_within_words_remain(text, expected):
    assert in_letters(text) == expected
