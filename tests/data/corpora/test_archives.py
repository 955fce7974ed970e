import hashlib

import pytest

from speechgru.data.corpora.archives import Archive
from speechgru.interfaces import InputError

CONTENT = b"an archive"
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.tgz").write_bytes(CONTENT)
    return tmp_path / "a.tgz"


def describe(**options):
    return Archive.of({"file": "a.tgz", "url": "https://x.invalid/a.tgz", **options}, 2)


def test_either_digest_or_both_tell_an_archive(path):
    describe().check_file(path)
    describe(md5=MD5.upper(), file_sha256=SHA256, size=len(CONTENT)).check_file(path)
    for options, message in (
        ({"md5": "0" * 32}, f"md5 is {MD5}, expected 000"),
        ({"md5": MD5, "file_sha256": "0" * 64}, f"sha256 is {SHA256}, expected 000"),
        ({"md5": MD5, "size": 11}, "10 bytes, expected 11"),
    ):
        with pytest.raises(InputError, match=message):
            describe(**options).check_file(path)


def test_the_error_says_how_an_archive_of_ones_own_is_taken(path):
    with pytest.raises(InputError, match=r"set corpus.archives.2.md5=null$"):
        describe(md5="0" * 32, size=11).check_file(path)
    with pytest.raises(
        InputError,
        match=r"set corpus.archives.2.file_sha256=null corpus.archives.2.md5=null$",
    ):
        describe(md5=MD5, file_sha256="0" * 64).check_file(path)
    # Without a digest the size is that of the host's alone.
    describe(size=11).check_file(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size is 0, expected a whole number from 1"),
        ({"size": "10 GB"}, "size is '10 GB', expected a whole number"),
        ({"mirrors": "https://x.invalid"}, "mirrors is .*, expected a list"),
        ({"mirrors": [1]}, "mirrors is .*, expected a list"),
        ({"url": None, "mirrors": ["https://x.invalid"]}, "mirrors but no url"),
        ({"md5": 10**31}, "md5 is 1000.*, expected text; put it in quotes"),
    ],
)
def test_a_description_that_cannot_be_meant_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        describe(**options)


@pytest.mark.parametrize(
    "file", ["a.tar.gz", "a.tgz", "a.tar.bz2", "a.zip", "a.tar.xz", "a.tar"]
)
def test_a_part_is_called_as_its_archive_without_endings(file):
    assert Archive(file).part == "a"
