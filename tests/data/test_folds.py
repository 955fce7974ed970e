from pathlib import Path

import pytest

from speechgru.data.corpora.corpus import Corpus
from speechgru.data.folds import Fold, read_both, read_cut
from speechgru.data.manifest import write_manifest
from speechgru.data.source import UnknownSplitError
from speechgru.data.sources.jsonl import ManifestCorpus
from speechgru.interfaces import InputError, Utterance


def utterances(*speakers):
    return [
        Utterance(f"u{index}", Path("a.wav"), 1.0, "a", speaker)
        for index, speaker in enumerate(speakers)
    ]


def test_every_speaker_is_held_out_once_and_never_shared():
    everything = utterances(*"edcbaabcde", "f")
    held_out = []
    for number in (1, 2, 3):
        train, dev = Fold(number, 3).split(everything)
        assert not {u.speaker for u in train} & {u.speaker for u in dev}
        assert sorted([*train, *dev], key=lambda u: u.id) == sorted(
            everything, key=lambda u: u.id
        )
        held_out += [u.id for u in dev]
    assert sorted(held_out) == sorted(u.id for u in everything)


def test_speakers_are_dealt_out_in_their_order():
    _, dev = Fold(2, 3).split(utterances(*"fedcba"))
    assert {u.speaker for u in dev} == {"b", "e"}


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/1", "a/b", "1/4/2", "-1/4"])
def test_other_folds_are_refused(text):
    with pytest.raises(InputError, match="expected NUMBER/TOTAL"):
        Fold.parse(text)
    assert Fold.parse("2/4") == Fold(2, 4)


def test_what_cannot_be_cut_by_speakers_is_refused():
    with pytest.raises(InputError, match="the speaker of u1 is not known"):
        Fold(1, 2).split(utterances("a", None, "b"))
    with pytest.raises(InputError, match="2 speakers cannot be held out in 3 folds"):
        Fold(1, 3).split(utterances("a", "b", "a"))


@pytest.fixture
def train(tmp_path):
    path = tmp_path / "train.jsonl"
    write_manifest(path, utterances(*"abcd"))
    return str(path)


def speakers(some):
    return "".join(each.speaker for each in some)


def test_where_there_is_no_dev_folds_are_cut_from_train(train):
    corpus = ManifestCorpus("manifest", train, None, None)
    cut = read_cut(corpus, "2/2")
    assert [speakers(some) for some in cut] == ["ac", "bd"]
    assert [speakers(some) for some in read_both(corpus)] == ["abcd", ""]


def test_a_split_that_is_train_and_dev_is_cut_once(train):
    corpus = ManifestCorpus("manifest", train, None, None)
    cut = read_cut(corpus, "2/2", dev="train")
    assert [speakers(some) for some in cut] == ["ac", "bd"]


def test_a_split_of_another_name_is_missed(train):
    corpus = ManifestCorpus("manifest", train, None, None)
    with pytest.raises(UnknownSplitError, match="unknown split 'dve'"):
        read_cut(corpus, "1/2", dev="dve")


def test_a_dev_that_is_not_prepared_is_not_left_out(train, tmp_path):
    class Unprepared(Corpus):
        def prepare(self):
            raise NotImplementedError

    with pytest.raises(InputError, match=r"dev.jsonl: no such file, own is not prep"):
        read_cut(Unprepared("own", tmp_path), "1/2")
