"""What a run folder says of its corpus; the folder may be a stranger's."""

import pytest
import yaml

from speechgru.interfaces import InputError
from speechgru.options.component import Component
from speechgru.ranges import OptionError
from speechgru.runs.known import Changes, KnownRun, find_run

SOURCE = "speechgru.data.sources.jsonl.ManifestCorpus"


def change(folder, **groups):
    """Replace groups of config.yaml."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, **groups}))


def test_a_run_is_its_folder_or_a_checkpoint_in_it(make_run, tmp_path):
    run = make_run()
    assert find_run(run) == find_run(run / "best.ckpt") == run
    assert find_run(run / "a.txt") is None
    assert find_run(tmp_path) is None
    assert find_run(tmp_path / "nowhere") is None


@pytest.mark.usefixtures("elsewhere")
def test_paths_count_from_where_the_run_began(make_run, corpus_folder):
    corpus = KnownRun.read(make_run()).corpus
    assert corpus.options["test"] == f"{corpus_folder}/test.jsonl"
    assert corpus.options["name"] == "manifest"


def test_paths_stay_as_they_are_where_the_run_began(
    make_run, corpus_folder, monkeypatch
):
    monkeypatch.chdir(corpus_folder)
    assert KnownRun.read(make_run()).corpus.options["test"] == "test.jsonl"


def test_names_are_no_paths_even_where_a_folder_is_called_so(
    make_run, corpus_folder, elsewhere
):
    (corpus_folder / "manifest").mkdir()
    (corpus_folder / "parts").mkdir()
    (corpus_folder / "parts/a.txt").touch()
    run = make_run()
    lists = {"train": ["en+m1", "parts/a.txt", "parts/b.txt"]}
    corpus = {"_target_": SOURCE, "name": "manifest", "voices": lists, "root": "~/x"}
    change(run, corpus={**corpus, "train": "s3://them/train.jsonl"})
    assert KnownRun.read(run).corpus.options == {
        "name": "manifest",
        "voices": {"train": ["en+m1", f"{corpus_folder}/parts/a.txt", "parts/b.txt"]},
        "root": "~/x",
        "train": "s3://them/train.jsonl",
    }


@pytest.mark.usefixtures("elsewhere")
def test_each_of_several_paths_counts_from_there(make_run, corpus_folder):
    run = make_run()
    corpus = {"_target_": SOURCE, "name": "manifest", "train": ["a.jsonl", "/b.jsonl"]}
    change(run, corpus=corpus)
    places = [f"{corpus_folder}/a.jsonl", "/b.jsonl"]
    assert KnownRun.read(run).corpus.options["train"] == places


@pytest.mark.usefixtures("elsewhere")
def test_what_is_changed_counts_from_here(make_run, corpus_folder):
    run = make_run()
    known = KnownRun.read(run, changes=Changes({"test": "mine.jsonl"}))
    assert known.corpus.options["test"] == "mine.jsonl"
    assert known.corpus.options["dev"] == f"{corpus_folder}/dev.jsonl"


@pytest.mark.usefixtures("elsewhere")
def test_another_data_dir_takes_the_place_of_the_former(make_run, tmp_path):
    run = make_run()
    target = "speechgru.data.corpora.yesno.YesNo"
    corpus = {"_target_": target, "name": "yesno", "root": "data/yesno"}
    change(run, data_dir="data", corpus=corpus)
    known = KnownRun.read(run, changes=Changes({}, tmp_path / "moved"))
    assert known.corpus.options == {"name": "yesno", "root": f"{tmp_path}/moved/yesno"}
    known = KnownRun.read(run, changes=Changes({}, "moved"))
    assert known.corpus.options["root"] == "moved/yesno"


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("data_dir", "root"), [("data", "data2/clips"), (".", "other/clips"), (".", "../c")]
)
def test_what_lies_in_no_data_dir_counts_from_where_the_run_began(
    make_run, corpus_folder, data_dir, root
):
    run = make_run()
    target = "speechgru.data.corpora.yesno.YesNo"
    change(run, corpus={"_target_": target, "name": "yesno", "root": root})
    known = KnownRun.read(run, changes=Changes({}, data_dir))
    assert known.corpus.options["root"] == f"{corpus_folder}/{root}"


def test_only_options_that_the_corpus_has_can_change(make_run):
    run = make_run()
    for name in ("tset", "_target_", "test.inner"):
        with pytest.raises(OptionError, match=f"corpus.{name} is no option of the run"):
            KnownRun.read(run, changes=Changes({name: "a.jsonl"}))
    with pytest.raises(OptionError, match="did you mean test"):
        KnownRun.read(run, changes=Changes({"tset": "a.jsonl"}))


def test_nothing_of_a_strangers_folder_is_believed_or_run(make_run):
    run = make_run()
    change(run, corpus={"_target_": SOURCE, "train": "${oc.env:HOME}"})
    with pytest.raises(InputError, match="interpolations are refused"):
        KnownRun.read(run)
    change(run, corpus={"_target_": "os.system"}, trust=["os"])
    known = KnownRun.read(run)
    assert known.options.trust == ()
    assert known.corpus == Component("os.system")  # which nobody builds


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"directory": 3}', '{"directory": "/no/where"}', " " * (1 << 25)],
)
def test_a_run_that_does_not_say_where_it_began_counts_from_here(
    make_run, elsewhere, content
):
    run = make_run()
    (run / "start.json").write_text(content)
    assert KnownRun.read(run).corpus.options["test"] == "test.jsonl"


def test_a_corpus_that_has_moved_is_told_with_the_remedy(make_run):
    run = KnownRun.read(make_run())
    message = (
        r"gone\n.*run was trained on corpus=manifest; if that has moved, say where it "
        r"is now: data_dir=FOLDER, corpus\.train=PATH, corpus\.dev=PATH, corpus\.test="
    )
    with pytest.raises(InputError, match=message), run.explaining():
        raise InputError("gone")
