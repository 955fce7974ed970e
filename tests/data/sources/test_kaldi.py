import os
from pathlib import Path

import pytest
from data.sources.sounds import encode, noise, put

from speechgru.audio import read_audio
from speechgru.data.sources.kaldi import KaldiCorpus
from speechgru.data.sources.scp import Recording, _find_root, decoded_file
from speechgru.interfaces import InputError


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, **options):
    return KaldiCorpus("kaldi", str(folder), None, None, **options).read("train")


def test_recordings_that_are_utterances(tmp_path):
    put(tmp_path / "my audio/a.wav", 1, 0.1)
    put(tmp_path / "b.wav", 2, 0.2)
    folder = write(
        tmp_path / "train",
        wav_scp=f"ann-a {tmp_path}/my audio/a.wav\nbob-b {tmp_path}/b.wav\n",
        text="ann-a GO ÉTÉ  ON\nbob-b\n",
        utt2spk="ann-a ann\nbob-b bob-b\n",
        utt2dur="bob-b 0.2\n",
    )
    first, second = read(folder)
    assert (first.id, first.text, first.speaker) == ("ann-a", "GO ÉTÉ  ON", "ann")
    assert (first.duration, first.partial) == (0.1, False)
    assert first.audio_path == tmp_path / "my audio/a.wav"
    # A speaker that is called as the utterance is nobody known; a text may be empty.
    assert (second.text, second.speaker, second.duration) == ("", None, 0.2)


def test_segments_of_recordings(tmp_path):
    put(tmp_path / "long.wav", 1, 2.0)
    folder = write(
        tmp_path / "train",
        wav_scp=f"rec {tmp_path}/long.wav\n",
        segments="u1 rec 0.0 0.5\nu2 rec 0.5 -1\nu3 rec 0 -1\n",
        text="u1 A\nu2 B\nu3 C\n",
        reco2dur="rec 2.0\n",
    )
    spans = [(u.offset, u.duration, u.partial) for u in read(folder)]
    assert spans == [(0.0, 0.5, True), (0.5, 1.5, True), (0.0, 2.0, False)]


def test_recordings_in_an_archive_are_byte_ranges(tmp_path):
    content, places = b"", []
    for seed in (1, 2):
        content += f"u{seed} ".encode()
        places.append(len(content))
        content += encode(seed)
    (tmp_path / "wav.ark").write_bytes(content)
    folder = write(
        tmp_path / "train",
        wav_scp="".join(
            f"u{i} {tmp_path}/wav.ark:{p}\n" for i, p in enumerate(places, 1)
        ),
        text="u1 A\nu2 B\n",
    )
    for seed, utterance in enumerate(read(folder), 1):
        waveform, _ = read_audio(utterance.audio)
        assert waveform.tolist() == noise(seed).astype("float32").tolist()
    write(folder, wav_scp=f"u1 {tmp_path}/wav.ark:1\n", text="u1 A\n")
    with pytest.raises(InputError, match="no whole WAV begins at byte 1 of"):
        read(folder)


def test_a_command_is_never_run(tmp_path):
    victim = tmp_path / "victim"
    folder = write(
        tmp_path / "train", wav_scp=f"u1 touch {victim}; cat a.wav |\n", text="u1 A\n"
    )
    with pytest.raises(InputError, match=r"u1: .* is a command.*trust_pipes=true"):
        read(folder)
    assert not victim.exists()


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("flac -c -d -s a/b.flac |", "a/b.flac"),
        ("/usr/bin/flac -cds 'a b.flac' |", "a b.flac"),
        ("sph2pipe -f wav -p a.sph |", "a.sph"),
        ("cat a.wav |", "a.wav"),
        ("sph2pipe -f wav -c 1 a.sph |", None),
        ("flac -c -d -s a.flac | sox - -t wav - |", None),
        ("flac -d a.flac -o /etc/x |", None),
        ("cat $(reboot) |", None),
        ("cat `reboot` |", None),
        ("cat a > b |", None),
        ("sox a.mp3 -t wav - |", None),
        ("cat -u |", None),
        ("cat 'a |", None),
    ],
)
def test_commands_that_only_decode_are_the_files_that_they_decode(command, file):
    assert decoded_file(command) == file


def test_a_decoded_file_is_read(tmp_path):
    put(tmp_path / "a.flac", 3, 0.3)
    folder = write(
        tmp_path / "train",
        wav_scp=f"u1 flac -c -d -s {tmp_path}/a.flac |\n",
        text="u1 A\n",
    )
    assert read(folder)[0].duration == 0.3


@pytest.mark.parametrize("above", ["train", "data/train"])
def test_relative_paths_begin_where_the_first_recording_is(tmp_path, above):
    put(tmp_path / "wav/a.wav")
    folder = write(tmp_path / above, wav_scp="u1 wav/a.wav\n", text="u1 A\n")
    if above == "train":
        with pytest.raises(InputError, match=r"set corpus\.root=FOLDER"):
            read(folder)
        assert read(folder, root=str(tmp_path))[0].duration == 0.1
    else:
        assert read(folder)[0].duration == 0.1


def test_paths_are_looked_for_again_from_another_working_directory(
    tmp_path, monkeypatch
):
    for place, seconds in (("one", 0.1), ("two", 0.2)):
        put(tmp_path / place / "a.wav", 1, seconds)
    folder = write(tmp_path / "x/y/train", wav_scp="u1 a.wav\n", text="u1 A\n")
    for place, seconds in (("one", 0.1), ("two", 0.2)):
        monkeypatch.chdir(tmp_path / place)
        assert read(folder)[0].duration == seconds
    assert os.getcwd() == str(tmp_path / "two")


def test_what_does_not_belong_together_is_listed(tmp_path):
    put(tmp_path / "a.wav")
    wav = f"{tmp_path}/a.wav"
    folder = write(
        tmp_path / "train",
        wav_scp=f"u1 {wav}\nu1 {wav}\nu2 {wav}\n",
        text="u1 A\nu3 B\n",
        utt2dur="u1 -3\n",
    )
    with pytest.raises(InputError) as error:
        read(folder)
    message = str(error.value)
    assert "wav.scp:2: 'u1' occurs twice" in message
    assert "'u3' has a text but is not in wav.scp" in message
    assert "'u2' has no text" in message
    assert 'utt2dur: u1: duration is "-3", expected s above 0' in message


@pytest.mark.parametrize(
    "segment", ["rec 1 0.5", "rec 0", "rec nan 1", "rec 0 1 A", "other 0 1", ""]
)
def test_a_segment_that_is_none_is_refused(tmp_path, segment):
    put(tmp_path / "a.wav")
    folder = write(
        tmp_path / "train",
        wav_scp=f"rec {tmp_path}/a.wav\n",
        segments=f"u1 {segment}\n",
        text="u1 A\n",
    )
    with pytest.raises(InputError, match="segments: u1: "):
        read(folder)


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match=r"wav\.scp: cannot be read \(No such file"):
        read(tmp_path)


def test_a_folder_below_the_root_of_all_is_a_place_like_others():
    recordings = {"u1": Recording(Path("nowhere/a.wav"))}
    with pytest.raises(InputError, match=r"wav\.scp"):
        _find_root(Path("/data"), recordings)
