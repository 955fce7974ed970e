"""Every class that had another name is where its new name says."""

import importlib

import pytest

from speechgru.checkpoint.renamed import RENAMED, current_name, with_current_names


@pytest.mark.parametrize("new", RENAMED.values())
def test_what_is_renamed_exists(new):
    module, _, name = new.rpartition(".")
    if name[0].isupper():
        assert hasattr(importlib.import_module(module), name)
    else:
        importlib.import_module(new)


def test_names_are_found_at_any_depth_and_others_stay():
    config = {
        "a": {
            "_target_": "speechgru.model.gru.GRUEncoder",
            "b": "speechgru.model.gru.X",
        }
    }
    assert with_current_names(config) == {
        "a": {
            "_target_": "speechgru.model.encoders.gru.GRUEncoder",
            "b": "speechgru.model.gru.X",
        }
    }
    assert current_name("my.gru.Mine") == "my.gru.Mine"


def test_the_only_archive_of_an_older_corpus_becomes_one_of_a_list():
    older = {
        "corpus": {
            "_target_": "speechgru.data.corpora.an4.AN4",
            "archive": None,
            "filename": "an4.tar.gz",
            "url": "https://an4.invalid/an4.tar.gz",
            "sha256": "df9f",
            "utterances": {"train": 857},
        },
        "seed": 1,
    }
    current = {
        "corpus": {
            "_target_": "speechgru.data.corpora.an4.AN4",
            "archive": None,
            "archives": [
                {
                    "file": "an4.tar.gz",
                    "url": "https://an4.invalid/an4.tar.gz",
                    "sha256": "df9f",
                }
            ],
            "utterances": {"train": 857},
        },
        "seed": 1,
    }
    assert with_current_names(older) == current
    assert with_current_names(current) == current


def test_the_class_of_manifests_is_found_by_its_older_name():
    older = {"corpus": {"_target_": "speechgru.data.corpora.manifest.ManifestCorpus"}}
    assert with_current_names(older) == {
        "corpus": {"_target_": "speechgru.data.sources.jsonl.ManifestCorpus"}
    }
