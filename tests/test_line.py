"""The whole line, as a user walks it: train, evaluate, transcribe, info."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import soundfile
import torch
from conftest import make_tones, run_speechgru
from torch.nn.utils.rnn import pad_sequence

from speechgru import Transcriber
from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import read_checkpoint


def test_a_run_folder_holds_all_that_was_promised(trained):
    names = {path.name for path in trained.folder.iterdir()}
    assert {"config.yaml", "train.log", "best.ckpt", "last.ckpt", "metrics"} <= names
    assert "tensorboard" in names
    assert re.fullmatch(r"[\d-]{10}_[\d-]{8}_s1-[0-9a-f]{4}", trained.folder.name)
    metrics = (trained.folder / "metrics/version_0/metrics.csv").read_text()
    for name in ("train/loss", "val/wer", "val/cer", "learning_rate", "epoch"):
        assert name in metrics.splitlines()[0]


def test_the_tiny_model_learns(trained):
    wer = read_checkpoint(trained.checkpoint)["speechgru"]["metadata"]["val_wer"]
    assert wer < 0.05


def test_results_go_to_standard_output_and_the_log_to_standard_error(trained):
    assert trained.stdout.startswith("best dev WER")
    assert str(trained.checkpoint) in trained.stdout
    assert "epoch 25/25: train/loss" in trained.stderr
    assert "| heard:" in trained.stderr
    assert "epoch 25/25" in (trained.folder / "train.log").read_text()


def test_the_slim_checkpoint_has_no_optimiser(trained):
    assert set(read_checkpoint(trained.checkpoint)) == {"speechgru", "state_dict"}
    assert "optimizer_states" in read_checkpoint(trained.folder / "last.ckpt")


@pytest.mark.slow
def test_evaluate_transcribe_and_info_work_from_the_checkpoint_alone(
    trained, tones, tmp_path
):
    # Moved elsewhere, with nothing of the training run beside it.
    checkpoint = shutil.copy(trained.checkpoint, tmp_path / "model.ckpt")
    test = make_tones(tmp_path, "unseen", 7, seed=9)
    evaluated = run_speechgru(
        "evaluate", checkpoint, "corpus=manifest", f"corpus.test={test}"
    )
    found = re.search(r"WER ([\d.]+) % \[([\d.]+), ([\d.]+)\]", evaluated.stdout)
    wer, low, high = map(float, found.groups())
    assert low <= wer <= high
    assert wer <= 10
    lines = (tmp_path / "model-manifest-test.jsonl").read_text().splitlines()
    results = [json.loads(line) for line in lines]
    assert [result["id"] for result in results] == [
        f"unseen-{index:03d}" for index in range(7)
    ]
    edits = sum(
        sum(
            result["word_errors"][kind]
            for kind in result["word_errors"]
            if kind != "hits"
        )
        for result in results
    )
    words = sum(len(result["reference"].split()) for result in results)
    assert wer == round(100 * edits / words, 2)

    files = sorted((tmp_path / "wav").glob("*.wav"))
    odd = tmp_path / "été, n=1 'x'.wav"
    shutil.copy(files[0], odd)
    heard = run_speechgru("transcribe", checkpoint, odd, *files, "format=json")
    texts = [json.loads(line)["text"] for line in heard.stdout.splitlines()]
    assert texts == [results[0]["hypothesis"], *(r["hypothesis"] for r in results)]

    info = run_speechgru("info", checkpoint, "format=json")
    facts = json.loads(info.stdout)
    assert facts["corpus"] == "manifest"
    assert facts["tokens"] == " ABCD"


def test_the_python_interface_hears_the_same_at_other_rates_and_formats(
    trained, tones, tmp_path
):
    manifest = (tones.folder / "test.jsonl").read_text().splitlines()
    line = json.loads(max(manifest, key=len))
    path = tones.folder / line["audio_filepath"]
    transcriber = Transcriber.from_checkpoint(trained.checkpoint)
    assert transcriber.transcribe(path).text == line["text"]
    samples, rate = soundfile.read(path)
    stereo = tmp_path / "stereo.flac"
    soundfile.write(stereo, torch.tensor(samples)[:, None].expand(-1, 2).numpy(), rate)
    assert transcriber.transcribe(stereo).text == line["text"]
    assert transcriber.transcribe(path.read_bytes()).text == line["text"]


@pytest.mark.parametrize("batch_size", [8, 61])
def test_log_probs_do_not_depend_on_the_batch(trained, tones, batch_size):
    model = load_checkpoint(trained.checkpoint).model
    files = sorted((tones.folder / "wav").glob("train-*.wav"))[:batch_size]
    waveforms = [torch.tensor(soundfile.read(f, dtype="float32")[0]) for f in files]
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    padded = pad_sequence([*waveforms, torch.zeros(30_000)], batch_first=True)[:-1]
    assert padded.size(1) > lengths.max(), "no extra padding"
    with torch.inference_mode():
        together, output_lengths = model(padded, lengths)
        for index, waveform in enumerate(waveforms):
            alone, length = model(waveform[None], lengths[index : index + 1])
            assert length == output_lengths[index]
            difference = together[index, : length.item()] - alone[0]
            assert difference.abs().max() < 1e-4


def test_text_does_not_depend_on_the_batch(trained, tones):
    files = sorted((tones.folder / "wav").glob("train-*.wav"))
    transcriber = Transcriber.from_checkpoint(trained.checkpoint)
    alone = [transcriber.transcribe(file).text for file in files]
    for batch_seconds in (3.0, 20.0, 1000.0):
        together = transcriber.transcribe_many(files, batch_seconds=batch_seconds)
        assert [result.text for result in together] == alone


def test_standard_input_is_heard_and_the_first_bad_file_is_not_the_last(
    trained, tones, tmp_path
):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no audio")
    good = tones.folder / "wav" / "test-000.wav"
    with good.open("rb") as stream:
        result = subprocess.run(
            [
                *(sys.executable, "-m", "speechgru", "transcribe"),
                *(trained.checkpoint, bad, "-", good),
            ],
            stdin=stream,
            capture_output=True,
            text=True,
        )
    assert result.returncode == 1
    texts = [line.partition("\t")[2] for line in result.stdout.splitlines()]
    assert len(texts) == 2
    assert texts[0] == texts[1] != ""
    assert "bad.wav" in result.stderr
    assert "1 of 3 not transcribed" in result.stderr
    assert "Traceback" not in result.stderr
