"""There and back: what a target holds is not lost, what it does not is said."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from data.sources.sounds import encode, noise, put

from speechgru import Utterance, read_manifest, write_manifest
from speechgru.audio import read_audio
from speechgru.conversion import convert_source, name_after
from speechgru.data.sources.kinds import guess_kind
from speechgru.data.targets import audio_files
from speechgru.interfaces import InputError
from speechgru.options import ConvertOptions, choose
from speechgru.ranges import OptionError


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def convert(source, target, **options) -> list[str]:
    return convert_source(str(source), target, ConvertOptions(**options))


@pytest.fixture
def utterances(tmp_path) -> list[Utterance]:
    """Whole files, parts of one, and recordings in a tar, sorted by id."""
    long = put(tmp_path / "wav/a long.flac", 1, 2.0)
    with tarfile.open(tmp_path / "audio.tar", "w") as archive:
        for number, kind in ((5, "WAV"), (6, "FLAC")):
            content = encode(number, 0.5, kind)
            info = tarfile.TarInfo(f"{number}.{kind.lower()}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with tarfile.open(tmp_path / "audio.tar") as archive:
        ranges = [(member.offset_data, member.size) for member in archive]
    tar = tmp_path / "audio.tar"
    return [
        Utterance("a/whole", put(tmp_path / "wav/b.wav", 2), 0.1, "GO ÉTÉ  ON", "ann"),
        Utterance("b-part", long, 0.3, "ONE", "bob", 0.1, True),
        Utterance("c-part", long, 1 / 3, "", "bob", 0.1 + 0.2, True),
        Utterance("d-all", long, 2.0, "ALL", None),
        Utterance("e-tar", tar, 0.5, "WAVE", None, byte_range=ranges[0]),
        Utterance("f-tar", tar, 0.25, "FLAC", "cem", 0.25, True, ranges[1]),
    ]


def hear(utterance: Utterance) -> list[float]:
    part = (utterance.offset, utterance.duration) if utterance.partial else ()
    return read_audio(utterance.audio, *part)[0].tolist()


def without_places(utterance: Utterance) -> Utterance:
    return replace(utterance, audio_path=Path(), byte_range=None, duration=0)


@pytest.mark.parametrize("target", ["manifest", "kaldi", "lhotse"])
def test_nothing_is_lost_there_and_back(utterances, target, tmp_path):
    write_manifest("mine.jsonl", utterances)
    written = Path("there/mine" if target == "kaldi" else "there/mine.jsonl")
    said = convert("mine.jsonl", target, output=written)
    assert said[0] == f"{written}: 6 utterances"
    convert(written, "manifest", output=Path("back.jsonl"))
    back = read_manifest("back.jsonl")
    assert [*map(without_places, back)] == [*map(without_places, utterances)]
    assert [u.duration for u in back] == [u.duration for u in utterances]
    assert [*map(hear, back)] == [*map(hear, utterances)]


def test_kaldi_says_what_it_does_not_hold(utterances):
    texts = [" A ", "B\nC", *(u.text for u in utterances[2:])]
    changed = [replace(u, text=t) for u, t in zip(utterances, texts, strict=True)]
    write_manifest("mine.jsonl", changed)
    said = "\n".join(convert("mine.jsonl", "kaldi"))
    assert "2 texts lost line ends, or white space around them" in said
    assert "e.g. that of a/whole" in said
    assert "2 utterances without a speaker have their own id as one" in said
    assert "2 recordings were copied to mine-kaldi/audio" in said
    assert "a/whole A\nb-part B C\nc-part\n" in Path("mine-kaldi/text").read_text()


def test_kaldi_is_sorted_as_it_wants_it(tmp_path):
    put(tmp_path / "a.wav")
    ids = ["b", "a-2", "B", "a", "é", "a2"]
    write_manifest(
        "mine.jsonl", [Utterance(i, Path("a.wav"), 0.1, "X", "s") for i in ids]
    )
    convert("mine.jsonl", "kaldi")
    lines = Path("mine-kaldi/wav.scp").read_bytes().splitlines()
    assert lines == sorted(lines)
    assert [line.split()[0].decode() for line in lines] == sorted(ids)
    assert Path("mine-kaldi/spk2utt").read_text() == "s B a a-2 a2 b é\n"
    assert not Path("mine-kaldi/segments").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"id": "a b"}, "id 'a b' has white"), ({"speaker": "x y"}, "speaker 'x y'")],
)
def test_names_with_white_space_are_refused_by_kaldi(tmp_path, changes, message):
    utterance = Utterance("a", put(tmp_path / "a.wav"), 0.1, "X", "s")
    write_manifest("mine.jsonl", [replace(utterance, **changes)])
    with pytest.raises(InputError, match=message):
        convert("mine.jsonl", "kaldi")
    assert not Path("mine-kaldi").exists()


def test_cuts_are_what_lhotse_itself_reads(utterances, tmp_path):
    lhotse = pytest.importorskip("lhotse")
    write_manifest("mine.jsonl", utterances)
    convert("mine.jsonl", "lhotse", output=Path("cuts.jsonl.gz"))
    cuts = lhotse.CutSet.from_file("cuts.jsonl.gz")
    lhotse.validate(cuts)
    for cut, utterance in zip(cuts, utterances, strict=True):
        assert cut.id == utterance.id
        assert cut.supervisions[0].speaker == utterance.speaker
        assert cut.load_audio()[0].tolist() == hear(utterance)


def test_stereo_is_refused_by_lhotse(tmp_path):
    import soundfile

    soundfile.write("a.wav", noise(1, 0.1, channels=2), 8000)
    write_manifest("mine.jsonl", [Utterance("a", Path("a.wav"), 0.1, "X")])
    with pytest.raises(InputError, match=r"a\.wav: 2 channels, expected one"):
        convert("mine.jsonl", "lhotse", output=Path("cuts.jsonl"))
    assert not Path("cuts.jsonl").exists()


def test_hostile_ids_name_no_files_elsewhere(utterances, tmp_path):
    ids = ["../../x", "/etc/x", "..", ".hidden", "a" * 500, "-rf"]
    changed = [replace(utterances[4], id=id) for id in ids]
    # Each another recording, as far as anybody can tell.
    start, size = changed[0].byte_range
    changed = [replace(u, byte_range=(start, size - i)) for i, u in enumerate(changed)]
    write_manifest("mine.jsonl", changed)
    convert("mine.jsonl", "kaldi", output=Path("out/kaldi"))
    audio = sorted(Path("out/kaldi/audio").iterdir())
    assert len(audio) == len(ids)
    assert {path.name for path in Path("out").iterdir()} == {"kaldi"}


def test_all_splits_of_a_corpus_are_converted(utterances):
    write_manifest("a.jsonl", utterances[:2])
    write_manifest("b.jsonl", utterances[2:])
    corpus = choose("corpus", "manifest", train="a.jsonl", dev="b.jsonl")
    said = convert_source(None, "kaldi", ConvertOptions(corpus=corpus))
    assert "manifest-kaldi/train: 2 utterances" in said
    assert {path.name for path in Path("manifest-kaldi").iterdir()} == {"train", "dev"}


def test_what_is_there_already_stays_unless_told(utterances):
    write_manifest("mine.jsonl", utterances)
    convert("mine.jsonl", "lhotse")
    before = Path("mine.jsonl.gz").read_bytes()
    write_manifest("mine.jsonl", utterances[:1])
    with pytest.raises(InputError, match=r"mine\.jsonl\.gz: is there already"):
        convert("mine.jsonl", "lhotse")
    assert Path("mine.jsonl.gz").read_bytes() == before
    convert("mine.jsonl", "lhotse", overwrite=True)
    assert Path("mine.jsonl.gz").read_bytes() != before


def test_nothing_of_an_older_data_folder_is_mixed_in(utterances):
    write_manifest("parts.jsonl", utterances)
    write_manifest("whole.jsonl", utterances[:1])
    convert("parts.jsonl", "kaldi", output=Path("data"))
    Path("data/reco2dur").write_text("a/whole 99\n")
    assert Path("data/segments").exists()
    convert("whole.jsonl", "kaldi", output=Path("data"), overwrite=True)
    assert not Path("data/segments").exists()
    convert("data", "manifest", output=Path("again.jsonl"))
    [again] = read_manifest("again.jsonl")
    assert without_places(again) == without_places(utterances[0])
    assert again.duration == utterances[0].duration


def test_what_is_not_complete_is_said_and_can_be_written_anew(utterances, monkeypatch):
    write_manifest("mine.jsonl", utterances)
    real = audio_files.replace_by_parts

    def run_full(path, parts):
        if path.name.startswith("f"):
            raise InputError(f"{path}: cannot be written (No space left on device)")
        real(path, parts)

    with monkeypatch.context() as full:
        full.setattr(audio_files, "replace_by_parts", run_full)
        with pytest.raises(InputError, match=r"No space.*\n.*not complete: overwrite"):
            convert("mine.jsonl", "kaldi", output=Path("data"))
    convert("mine.jsonl", "kaldi", output=Path("data"), overwrite=True)
    convert("data", "manifest", output=Path("again.jsonl"))
    assert len(read_manifest("again.jsonl")) == len(utterances)


def make_pipes(tmp_path: Path, command: str) -> Path:
    put(tmp_path / "a.wav", 1)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "wav.scp").write_text(f"u1 {command}\nu2 cat a.wav |\n")
    (folder / "text").write_text("u1 A\nu2 B\n")
    return folder


def test_pipes_run_only_if_the_command_line_trusts_them(tmp_path):
    folder = make_pipes(tmp_path, "cat a.wav | tee ran |")
    with pytest.raises(InputError, match=r"is a command.*trust_pipes=true"):
        convert(folder, "manifest", output=Path("x.jsonl"))
    assert not Path("ran").exists()
    convert(folder, "manifest", output=Path("x.jsonl"), trust_pipes=True)
    assert Path("ran").exists()
    first, second = read_manifest("x.jsonl")
    assert hear(first) == hear(second) == noise(1).astype("float32").tolist()
    assert (first.text, second.text) == ("A", "B")
    # No file may say so: the source has no such option.
    assert not [name for name in choose("corpus", "kaldi").options if "trust" in name]


def test_a_pipe_that_fails_is_named_and_leaves_nothing(tmp_path):
    folder = make_pipes(tmp_path, "cat a.wav; echo no >&2; exit 3 |")
    with pytest.raises(InputError, match=r"u1: 'cat a\.wav.* ended with 3 \(no\)"):
        convert(folder, "manifest", output=Path("x.jsonl"), trust_pipes=True)
    assert not Path("x.jsonl").exists()
    assert not list(tmp_path.rglob("u1*.wav"))


def test_names_that_are_alike_and_changed_commands_have_recordings_of_their_own(
    tmp_path,
):
    folder = make_pipes(tmp_path, "cat a.wav | cat |")
    put(tmp_path / "b.wav", 2)
    long = (
        "\u041b\u0435\u043a\u0446\u0438\u044f" * 4
    )  # 24 letters: 144 bytes, percent-encoded
    names = ["s/u", "s-u", f"{long}1", f"{long}2"]
    commands = ["cat a.wav | cat |", "cat b.wav | cat |"] * 2
    lines = [
        f"{name} {command}\n" for name, command in zip(names, commands, strict=True)
    ]
    (folder / "wav.scp").write_text("".join(lines))
    (folder / "text").write_text("".join(f"{name} A\n" for name in names))
    made = {"trust_pipes": True, "overwrite": True}
    convert(folder, "manifest", output=Path("x.jsonl"), **made)
    first, second = (
        noise(1).astype("float32").tolist(),
        noise(2).astype("float32").tolist(),
    )
    assert [hear(each) for each in read_manifest("x.jsonl")] == [first, second] * 2
    (folder / "wav.scp").write_text("".join(lines).replace("cat a.wav", "cat b.wav"))
    convert(folder, "manifest", output=Path("x.jsonl"), **made)
    assert [hear(each) for each in read_manifest("x.jsonl")] == [second] * 4


def test_overwriting_runs_commands_again(tmp_path):
    folder = make_pipes(tmp_path, "cat a.wav | cat |")
    convert(folder, "manifest", output=Path("x.jsonl"), trust_pipes=True)
    put(tmp_path / "a.wav", 2)
    convert(
        folder, "manifest", output=Path("x.jsonl"), trust_pipes=True, overwrite=True
    )
    first = read_manifest("x.jsonl")[0]
    assert hear(first) == noise(2).astype("float32").tolist()


def test_a_manifest_says_that_it_needs_the_cache(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    audio = pa.array([{"bytes": encode(1), "path": "a.wav"}], kind)
    parquet.write_table(pa.table({"audio": audio, "text": ["A"]}), "a.parquet")
    said = convert("a.parquet", "manifest")
    assert "1 recordings lie in the cache" in said[1]
    assert "must not be emptied" in said[1]


def test_pipes_are_kaldis_alone(utterances):
    write_manifest("mine.jsonl", utterances)
    with pytest.raises(OptionError, match="expected a data folder of Kaldi"):
        convert("mine.jsonl", "lhotse", trust_pipes=True)


def test_the_kind_of_a_source_is_guessed(tmp_path):
    kinds = {
        "a.tsv": "csv",
        "a.parquet": "parquet",
        "b/state.json": "hf",
        "c/wav.scp": "kaldi",
        "d/cuts.000000.jsonl.gz": "lhotse",
        "e/x-0.parquet": "parquet",
        "f/s/a.wav": "folder",
    }
    for name in kinds:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    for name, kind in kinds.items():
        assert guess_kind(name.partition("/")[0]) == kind, name
    for line, kind in {
        '{"audio_filepath": "a", "duration": 1, "text": ""}': "manifest",
        '{"audio_filepath": "a", "shard_id": 1}': "nemo",
        '{"id": "a", "recording": {}}': "lhotse",
    }.items():
        Path("a.json").write_text(line)
        assert guess_kind("a.json") == kind
    with pytest.raises(InputError, match="looks like no source"):
        guess_kind("nothing")
    with pytest.raises(InputError, match="may run code"):
        guess_kind("a.pkl")


def test_a_target_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(OptionError, match=r"did you mean kaldi\?"):
        convert("a.jsonl", "kalid")


def test_a_source_alone_asks_for_the_target(tmp_path):
    with pytest.raises(
        OptionError, match=r"a.tsv: converted to what\? expected SOURCE"
    ):
        convert_source(None, "a.tsv", ConvertOptions())


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("train-*.parquet", "train"),
        ("a/part_{0..7}.json", "part"),
        ("https://host/a/dev.tsv", "dev"),
        ("saved/train/", "train"),
        ("*.parquet", "source"),
    ],
)
def test_what_is_made_is_called_by_the_source_without_its_pattern(source, name):
    assert name_after(source) == name


def test_the_command_says_what_it_read_and_wrote(utterances, call):
    write_manifest("mine.jsonl", utterances)
    code, out, err = call("convert", "mine.jsonl", "kaldi", "output=k")
    assert (code, out.splitlines()[0]) == (0, "k: 6 utterances")
    assert "mine.jsonl: read by corpus=manifest" in err
    code, out, _ = call("convert", "k", "manifest", "corpus=kaldi", "output=b.jsonl")
    assert (code, out) == (0, "b.jsonl: 6 utterances\n")
    assert call("convert", "manifest")[0] == 2


def test_to_shards_and_back_nothing_is_lost(utterances, tmp_path):
    write_manifest(tmp_path / "all.jsonl", utterances)
    lines = convert(tmp_path / "all.jsonl", "shards", output=tmp_path / "shards")
    assert lines[0].startswith("note: 3 utterances were parts of recordings")
    assert lines[1].startswith("train: 6 utterances, ")
    corpus = choose("corpus", "shards", folder=str(tmp_path / "shards"))
    convert_source(None, "manifest", ConvertOptions(corpus=corpus, output=Path("back")))
    back = {utterance.id: utterance for utterance in read_manifest("back/train.jsonl")}
    assert len(back) == len(utterances)
    for utterance in utterances:
        again = back[utterance.id]
        assert without_places(again) == replace(
            without_places(utterance), offset=0.0, partial=False
        )
        assert again.duration == pytest.approx(utterance.duration, abs=1e-3)
        assert hear(again) == hear(utterance)
    with pytest.raises(InputError, match="shards has splits of its own"):
        convert(tmp_path / "shards", "manifest")
