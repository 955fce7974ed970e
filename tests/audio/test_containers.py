"""What FFmpeg opens is heard as it was recorded, and nothing else is opened."""

import os
import random
import sys
import threading
from io import BytesIO

import numpy as np
import pytest
import torch
from audio.media import KINDS, av, encode_media, frames_of, sweep
from audio.sounds import encode
from audio.test_fuzz import mutate

from speechgru.audio import AudioError, container_sound, inspect_audio, read_audio

M4A = encode_media(sweep(5, 16_000), "m4a")
WEBM = encode_media(sweep(5, 48_000), "webm")
AMR = encode_media(sweep(2, 8000), "amr")


def lag(heard: np.ndarray, said: np.ndarray) -> int:
    """Samples by which one sound follows the other, by correlation."""
    size = len(heard) + len(said)
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    place = int(np.argmax(np.fft.irfft(spectrum, size)))
    return place if place < size // 2 else place - size


@pytest.mark.parametrize("kind", KINDS)
def test_sound_is_heard_as_it_was_recorded(kind):
    rate = KINDS[kind][2]
    said = sweep(2, rate)
    encoded = encode_media(said, kind)
    waveform, heard_rate = read_audio(encoded)
    info = inspect_audio(encoded)
    assert (heard_rate, info.sample_rate, info.num_channels) == (rate, rate, 1)
    assert len(waveform) == info.num_samples
    assert abs(len(waveform) / rate - 2) < 0.15
    assert abs(lag(waveform.numpy(), said)) / rate < 0.07  # what encoders put in front
    assert 0.8 < waveform.std() / said.std() < 1.2


@pytest.mark.parametrize("kind", ["m4a", "alac.m4a", "mp4", "mov", "webm", "mka"])
def test_containers_that_tell_begin_with_the_first_sample(kind):
    said = sweep(2, KINDS[kind][2])
    assert lag(read_audio(encode_media(said, kind))[0].numpy(), said) == 0


@pytest.mark.parametrize("encoded", [M4A, WEBM, AMR], ids=["m4a", "webm", "amr"])
def test_a_path_a_file_object_and_a_pipe_give_the_same(encoded, tmp_path):
    expected, _ = read_audio(encoded)
    path = tmp_path / "a.bin"
    path.write_bytes(encoded)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(encoded))
    writer.start()
    assert torch.equal(read_audio(pipe)[0], expected)
    writer.join()
    assert torch.equal(read_audio(path)[0], expected)
    assert torch.equal(read_audio(BytesIO(encoded))[0], expected)


@pytest.mark.parametrize("encoded", [M4A, WEBM], ids=["m4a", "webm"])
@pytest.mark.parametrize("offset", [0.0, 0.01, 2.123, 4.5])
def test_an_excerpt_is_a_part_of_the_whole(encoded, offset):
    whole, rate = read_audio(encoded)
    part, _ = read_audio(encoded, offset, 0.4)
    start = round(offset * rate)
    assert torch.equal(part, whole[start : start + round(0.4 * rate)])
    rest, _ = read_audio(encoded, offset)
    assert torch.equal(rest, whole[start:])


@pytest.mark.parametrize("kind", ["m4a", "mov", "webm", "mka"])
def test_an_excerpt_decodes_nothing_far_in_front(kind, monkeypatch):
    rate = KINDS[kind][2]
    encoded = encode_media(sweep(20, rate), kind)
    whole, _ = read_audio(encoded)
    num_decoded = 0
    decode = container_sound.decode_frames

    def count(*args):
        nonlocal num_decoded
        for frame in decode(*args):
            num_decoded += frame.samples
            yield frame

    monkeypatch.setattr(container_sound, "decode_frames", count)
    part, _ = read_audio(encoded, 15.4321, 0.5)
    start = round(15.4321 * rate)
    torch.testing.assert_close(part, whole[start:][: rate // 2], atol=1e-5, rtol=0)
    assert num_decoded < 7 * rate


def test_channels_are_averaged_or_one_is_taken():
    left, right = sweep(1, 16_000), sweep(1, 16_000, seed=1)
    encoded = encode_media(np.stack([left, right]), "alac.m4a")
    heard = [read_audio(encoded, channel=channel)[0] for channel in (0, 1, None)]
    for waveform, said in zip(heard, [left, right, (left + right) / 2], strict=True):
        np.testing.assert_allclose(waveform, said, atol=1e-4)
    with pytest.raises(
        AudioError, match=r"channel is 2, but there are channels 0 to 1"
    ):
        read_audio(encoded, channel=2)


def test_of_several_tracks_one_is_heard_and_that_is_said_once(caplog):
    encoded = encode_media(sweep(1, 16_000), "mka", tracks=2)
    stream = BytesIO(encoded)
    stream.name = "lecture.mka"
    assert inspect_audio(stream).num_channels == 1
    stream.seek(0)
    read_audio(stream)
    (message,) = caplog.messages
    assert "lecture.mka: holds 2 tracks of sound" in message


@pytest.mark.parametrize("kind", ["mp4", "mka", "avi", "ts"])
def test_a_picture_beside_the_sound_changes_nothing(kind, caplog):
    said = sweep(2, KINDS[kind][2])
    alone, _ = read_audio(encode_media(said, kind))
    shown, _ = read_audio(encode_media(said, kind, picture=True))
    torch.testing.assert_close(shown, alone, atol=1e-4, rtol=0)
    assert not caplog.messages


def test_a_video_without_sound_says_so():
    encoded = encode_media(sweep(1, 48_000), "mp4", tracks=0, picture=True)
    with pytest.raises(AudioError, match="holds video, but no sound"):
        read_audio(encoded)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "an m3u8 playlist"),
        (b"\xef\xbb\xbf#EXTM3U\nhttp://localhost/a.ts\n", "an m3u8 playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a list of FFmpeg's concat"),
        (b"[playlist]\nFile1=a.mp3\n", "a pls playlist"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="x"></MPD>', "a DASH manifest"),
        (b'FILE "a.wav" WAVE\n  TRACK 01 AUDIO\n', "a cue sheet"),
        (b"http://localhost/a.mp3\n", "a list of addresses"),
    ],
)
def test_a_list_of_other_files_is_refused_by_its_kind(content, kind):
    with pytest.raises(AudioError, match=f"{kind}, which names other files"):
        read_audio(content)


def test_no_file_that_another_names_is_heard(tmp_path, monkeypatch):
    monkeypatch.setattr("speechgru.audio.containers.list_kind", lambda head: None)
    (tmp_path / "a.m4a").write_bytes(M4A)
    for content in (f"ffconcat version 1.0\nfile '{tmp_path}/a.m4a'\n", "#EXTM3U\n"):
        path = tmp_path / "list"
        path.write_text(content + f"#EXTINF:1,\n{tmp_path}/a.m4a\n#EXT-X-ENDLIST\n")
        with pytest.raises(AudioError, match="not decodable"):
            read_audio(path)


@pytest.mark.parametrize("tag", [b"drms", b"enca"])
def test_encrypted_sound_is_refused(tag):
    assert M4A.count(b"mp4a") == 1
    with pytest.raises(AudioError, match="its sound is encrypted"):
        read_audio(M4A.replace(b"mp4a", tag))


def test_where_a_recorder_was_killed_what_is_there_is_heard(caplog):
    whole, _ = read_audio(AMR)
    cut, _ = read_audio(AMR[: len(AMR) // 2])
    assert torch.equal(cut, whole[: len(cut)])
    assert len(cut) in range(len(whole) // 2 - 320, len(whole) // 2)
    assert "its last frame is cut or damaged" in caplog.text
    assert f"heard up to {len(cut) / 8000:.2f} s" in caplog.text


def test_what_is_missing_of_an_announced_length_is_said():
    with pytest.raises(AudioError, match=r"truncated, 3\.\d\d of the 5\.01 s"):
        read_audio(WEBM[: round(0.62 * len(WEBM))])
    # An excerpt of what is there can be had all the same.
    part, _ = read_audio(WEBM[: round(0.62 * len(WEBM))], 1.0, 1.0)
    assert torch.equal(part, read_audio(WEBM, 1.0, 1.0)[0])


def test_an_m4a_whose_index_is_missing_says_what_may_have_happened():
    with pytest.raises(AudioError, match=r"MPEG-4 .* recorder was killed, or its"):
        read_audio(M4A[: len(M4A) // 2])


def test_damage_inside_is_an_error_that_says_how_much_was_read():
    start = AMR.index(b"\n") + 1
    damaged = AMR[: start + 50 * 32] + b"\xff" * 4 + AMR[start + 50 * 32 + 4 :]
    with pytest.raises(AudioError, match=r"damaged, after \d\.\d\d s of sound FFmpeg"):
        read_audio(damaged)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    for encoded, kind in [(M4A, "MPEG-4"), (WEBM, "Matroska"), (AMR, "AMR")]:
        with pytest.raises(AudioError, match=rf'{kind}.*install "speechgru\[media\]"'):
            read_audio(encoded)
    with pytest.raises(AudioError, match=r"not decodable.*with speechgru\[media\]"):
        read_audio(b"no audio at all" * 100)


@pytest.mark.parametrize(
    "kind", ["m4a", "webm", "mka", "amr", "ts", "wma", "avi", "wv"]
)
def test_a_mutated_container_is_heard_or_refused_in_words(kind):
    encoded = encode_media(sweep(1, KINDS[kind][2]), kind)
    generator = random.Random(f"{kind} 1")
    refusals = []
    for _ in range(25):
        try:
            waveform, _ = read_audio(mutate(encoded, generator))
        except AudioError as error:
            refusals.append(str(error))
        else:
            assert waveform.isfinite().all()
    assert all(message.startswith("audio from memory: ") for message in refusals)


@pytest.mark.parametrize("box", ["stsz", "trun"])
def test_an_index_that_cannot_be_true_takes_no_memory(box):
    options = {"movflags": "frag_keyframe+empty_moov"} if box == "trun" else {}
    encoded = encode_media(sweep(1, 16_000), "m4a", options=options)
    assert len(read_audio(encoded)[0]) > 15_000
    place = encoded.rindex(box.encode()) + 8
    if box == "stsz":  # all of one size, of which nothing need be written
        claim = (1).to_bytes(4, "big") + (40_000_000).to_bytes(4, "big")
    else:
        claim = (40_000_000).to_bytes(4, "big")
    lying = encoded[:place] + claim + encoded[place + len(claim) :]
    with pytest.raises(AudioError, match=r"its index counts 40000000 pieces"):
        read_audio(lying)


def test_no_sound_is_looked_for_in_the_middle_of_something_else():
    flac = encode(sweep(1, 16_000), "flac")
    for content in (b"junk" * 100 + flac, bytes(300) + AMR, b"{}" + WEBM):
        with pytest.raises(AudioError, match="not decodable"):
            read_audio(content)


def test_a_wav_of_a_coding_that_libsndfile_lacks_is_decoded():
    said = sweep(1, 16_000)
    file = BytesIO()
    with av.open(file, "w", format="wav") as output:
        stream = output.add_stream("adpcm_yamaha", rate=16_000, layout="mono")
        for frame in frames_of(
            stream.codec_context, np.atleast_2d(said), 16_000, "mono"
        ):
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    waveform, _ = read_audio(file.getvalue())
    assert lag(waveform.numpy(), said) == 0
    # Behind an ID3 tag as well, as radio stations send AAC.
    tag = b"ID3\x03\0\0\0\0\x02\x01" + b"x" * 257
    aac = encode_media(said, "aac")
    assert torch.equal(read_audio(tag + aac)[0], read_audio(aac)[0])
