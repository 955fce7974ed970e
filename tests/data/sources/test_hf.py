"""Tables with recordings in them, made by `datasets` and pyarrow themselves."""

import io
import json
import os
from pathlib import Path

import pytest
from data.sources.sounds import encode, noise

from speechgru.audio import read_audio
from speechgru.data.sources.hf import HuggingFaceCorpus
from speechgru.data.sources.parquet import ParquetCorpus
from speechgru.interfaces import InputError

pa = pytest.importorskip("pyarrow")
AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def table(count: int = 3, **columns) -> pa.Table:
    """Recordings 0, 1, ..., which differ in length, and columns beside them."""
    audio = [
        {"bytes": encode(i, 0.1 * (i + 1)), "path": f"clips/a{i}.wav"}
        for i in range(count)
    ]
    plain = {"sentence": [f"TEXT {i}" for i in range(count)], "speaker_id": [7] * count}
    arrays = {"audio": pa.array(audio, AUDIO)}
    return pa.table(arrays | {k: pa.array(v) for k, v in (plain | columns).items()})


def save(folder: Path, content: pa.Table, **options) -> Path:
    """What Dataset.save_to_disk writes, as far as it is read."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "data-00000-of-00001.arrow"
    with pa.ipc.new_stream(str(file), content.schema, **options) as writer:
        writer.write_table(content, max_chunksize=2)
    state = {"_data_files": [{"filename": file.name}], "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state))
    return folder


def read(path: Path, **options):
    return HuggingFaceCorpus("hf", str(path), None, None, **options).read("train")


def read_parquet(path: Path, **options):
    return ParquetCorpus("parquet", str(path), None, None, **options).read("train")


def assert_sound(utterances, seeds=(0, 1, 2)):
    for seed, utterance in zip(seeds, utterances, strict=True):
        waveform, _ = read_audio(utterance.audio)
        expected = noise(seed, 0.1 * (seed + 1)).astype("float32")
        assert waveform.tolist() == expected.tolist()
        assert utterance.duration == pytest.approx(0.1 * (seed + 1))


def test_a_dataset_that_datasets_has_saved_is_read_in_place(tmp_path, capsys):
    datasets = pytest.importorskip("datasets")
    saved = datasets.Dataset(table())
    saved = saved.cast_column("audio", datasets.Audio(decode=False))
    datasets.DatasetDict({"train": saved, "dev": saved.select([2, 0])}).save_to_disk(
        tmp_path / "saved"
    )
    utterances = read(tmp_path / "saved/train")
    assert_sound(utterances)
    assert utterances[0].audio_path.name == "data-00000-of-00001.arrow"
    assert [(u.id, u.text, u.speaker) for u in utterances] == [
        (f"a{i}", f"TEXT {i}", "7") for i in range(3)
    ]
    assert "text from column 'sentence'" in capsys.readouterr().err
    assert_sound(read(tmp_path / "saved/dev"), (2, 0))
    with pytest.raises(InputError, match=r"several splits \(dev, train\)"):
        read(tmp_path / "saved")


def test_columns_are_named(tmp_path):
    content = table(words=["A", "B", "C"], nr=["x", "y", "z"], length=[0.05] * 3)
    content = content.append_column("from", pa.array([0.01, 0.02, None]))
    names = {"text": "words", "id": "nr", "duration": "length", "offset": "from"}
    utterances = read(save(tmp_path / "a", content), **names)
    assert [(u.id, u.text, u.offset, u.partial) for u in utterances] == [
        ("x", "A", 0.01, True),
        ("y", "B", 0.02, True),
        ("z", "C", 0.0, False),
    ]
    assert {u.duration for u in utterances} == {0.05}


def test_a_negative_offset_is_named_in_the_users_file(tmp_path, cache):
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    offsets = pa.array([0.0, -0.5])
    parquet.write_table(table(2).append_column("offset", offsets), path)
    with pytest.raises(
        InputError, match=r"a\.parquet: .*begins at -0\.5 s, expected 0"
    ):
        read_parquet(path)


def test_a_slice_of_a_table_and_large_offsets_are_read(tmp_path):
    content = table(5).slice(1, 3)
    large = pa.struct([("bytes", pa.large_binary()), ("path", pa.string())])
    schema = content.schema.set(0, pa.field("audio", large))
    utterances = read(save(tmp_path / "a", content.cast(schema)))
    assert_sound(utterances, (1, 2, 3))


def test_compressed_arrow_is_unpacked_into_the_cache(tmp_path, cache):
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    utterances = read(save(tmp_path / "a", table(), options=options))
    assert_sound(utterances)
    assert str(utterances[0].audio_path).startswith(str(cache))


def test_recordings_that_are_only_named_are_read_where_they_lie(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/b.wav").write_bytes(encode(0))
    audio = [{"bytes": None, "path": str(tmp_path / "clips/b.wav")}]
    content = pa.table({"audio": pa.array(audio, AUDIO), "text": ["A"]})
    (utterance,) = read(save(tmp_path / "a", content))
    assert (utterance.id, utterance.byte_range) == ("b", None)
    assert_sound([utterance], (0,))


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (table().drop_columns(["audio"]), {}, "0 columns hold audio"),
        (table(), {"audio": "sentence"}, "column 'sentence' is \"string\", expected a"),
        (table(), {"text": "speaker_id"}, "'speaker_id' is int64, expected texts"),
        (table(), {"text": "nothing"}, "has no column 'nothing'"),
        (table(sentence=["A", None, "B"]), {}, "row 1: no text"),
        (table(duration=[1.0, float("nan"), 1.0]), {}, "row 1: duration is NaN"),
        (table(id=["x", "y", "x"]), {}, "id 'x' occurs twice"),
    ],
)
def test_a_table_that_does_not_fit_is_named(tmp_path, content, options, message):
    with pytest.raises(InputError, match=message):
        read(save(tmp_path / "a", content), **options)


@pytest.mark.parametrize("name", ["../b.arrow", "/etc/passwd", 3])
def test_files_outside_the_folder_are_refused(tmp_path, name):
    save(tmp_path / "a", table())
    state = {"_data_files": [{"filename": name}]}
    (tmp_path / "a/state.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match="expected files of its own folder"):
        read(tmp_path / "a")


@pytest.mark.parametrize("is_whole_batch", [False, True])
def test_a_file_that_is_cut_off_is_named(tmp_path, is_whole_batch):
    file = save(tmp_path / "a", table()) / "data-00000-of-00001.arrow"
    if is_whole_batch:  # where a reader of streams sees no fault
        sink = io.BytesIO()
        writer = pa.ipc.new_stream(sink, table().schema)
        writer.write_batch(table().to_batches(max_chunksize=2)[0])
        file.write_bytes(sink.getvalue())
    else:
        file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"data-00000-of-00001\.arrow: cannot be read"):
        read(tmp_path / "a")


def test_offsets_that_lead_elsewhere_are_refused(tmp_path):
    file = save(tmp_path / "a", table(1)) / "data-00000-of-00001.arrow"
    content = file.read_bytes()
    size = len(encode(0)).to_bytes(4, "little")
    place = content.index(bytes(4) + size)  # the offsets of the only recording
    huge = (1 << 30).to_bytes(4, "little")
    file.write_bytes(content[: place + 4] + huge + content[place + 8 :])
    with pytest.raises(InputError, match=r"00001\.arrow: cannot be read"):
        read(tmp_path / "a")


def test_parquet_is_unpacked_once(tmp_path, cache):
    from pyarrow import parquet

    (tmp_path / "data").mkdir()
    first, second = tmp_path / "data/train-0.parquet", tmp_path / "data/train-1.parquet"
    parquet.write_table(table(3).slice(0, 2), first, row_group_size=1)
    parquet.write_table(table(3).slice(2, 1), second)
    utterances = read_parquet(tmp_path / "data/train-*.parquet")
    assert_sound(utterances)
    tars = {u.audio_path for u in utterances}
    assert {tar.parent.parent for tar in tars} == {cache / "audio"}
    times = [tar.stat().st_mtime_ns for tar in sorted(tars)]
    assert_sound(read_parquet(tmp_path / "data"))
    assert [tar.stat().st_mtime_ns for tar in sorted(tars)] == times
    # A cache may be emptied at any time.
    for tar in tars:
        tar.unlink()
    assert_sound(read_parquet(tmp_path / "data/train-{0..1}.parquet"))
    # Of a file that has changed nothing old is kept for long.
    for mark in cache.glob("audio/*/*.used"):
        os.utime(mark, (0, 0))
    parquet.write_table(table(1), first)
    assert_sound(read_parquet(first), (0,))
    assert len(list(cache.glob("audio/train-0-*/*.tar"))) == 1


def test_parquet_is_unpacked_where_it_stopped(tmp_path, cache, monkeypatch):
    from pyarrow import parquet

    for number in range(2):
        parquet.write_table(table(3).slice(number, 1), tmp_path / f"{number}.parquet")
    # No space for the second.
    import speechgru.data.sources.audio_tars as module

    def full(path, parts):
        if path.parent.name.startswith("1-"):
            raise InputError(f"{path}: cannot be written (No space left on device)")
        replace(path, parts)

    replace = module.replace_by_parts
    monkeypatch.setattr(module, "replace_by_parts", full)
    with pytest.raises(InputError, match="No space left"):
        read_parquet(tmp_path)
    (tar,) = cache.glob("audio/*/*.tar")
    made = tar.stat().st_mtime_ns
    monkeypatch.undo()
    monkeypatch.setenv("SPEECHGRU_CACHE", str(cache))
    assert_sound(read_parquet(tmp_path), (0, 1))
    assert tar.stat().st_mtime_ns == made


def test_a_broken_parquet_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(InputError, match=r"a\.parquet: cannot be read"):
        read_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no such file"):
        read_parquet(tmp_path / "no-*.parquet")


def test_brackets_and_braces_in_a_folder_are_no_pattern(tmp_path, cache):
    from pyarrow import parquet

    folder = tmp_path / "corpus [v2] {a,b}"
    folder.mkdir()
    parquet.write_table(table(2), folder / "train-0.parquet")
    for path in (folder, folder / "train-*.parquet", folder / "train-{0..0}.parquet"):
        assert len(read_parquet(path)) == 2
    anywhere = tmp_path / "corpus*" / "train-*.parquet"
    assert len(read_parquet(anywhere)) == 2
