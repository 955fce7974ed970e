from speechgru.checkpoint.renamed import with_current_names


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
