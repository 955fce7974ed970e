"""Training a language model, and letting it choose among texts."""

import json
import math

import pytest
import torch
from conftest import run_speechgru

from speechgru.checkpoint.load import load_language_model
from speechgru.checkpoint.storage import DESCRIPTION_KEY, read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.cli.evaluate import main as evaluate
from speechgru.cli.resume import go_on as resume
from speechgru.cli.tune import main as tune
from speechgru.interfaces import InputError
from speechgru.lm.weights import RESCORE_WEIGHTS, read_weights
from speechgru.model.language_model import TextScorer
from speechgru.options import TrainOptions
from speechgru.score.results import read_results
from speechgru.training.language_model import LanguageModelTask
from speechgru.training.run import run_training
from speechgru.training.run_folder import write_options

LM = [
    "task=lm",
    "corpus=manifest",
    "encoder.hidden_size=16",
    "encoder.num_layers=1",
    "encoder.bidirectional=false",
    "encoder.dropout=0",
    "encoder.output_dropout=0.1",
    "task.learning_rate=2e-2",
    "data.batch_tokens=200",
    "logger.tensorboard=false",
]


@pytest.fixture(scope="module")
def trained_lm(tones, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "lm"
    overrides = [*LM, *tones.overrides, "trainer.max_epochs=6"]
    result = run_speechgru("train", *overrides, f"hydra.run.dir={folder}")
    return folder, result.stdout


def read_texts(tones, split: str) -> list[str]:
    lines = (tones.folder / f"{split}.jsonl").read_text().splitlines()
    return [json.loads(line)["text"] for line in lines]


def test_the_best_checkpoint_has_the_loss_that_is_told(call, trained_lm, tones):
    folder, stdout = trained_lm
    loaded = load_language_model(folder / "best.ckpt")
    texts = read_texts(tones, "dev")
    scores = TextScorer(loaded.model, loaded.tokenizer).score_texts(texts)
    num_tokens = sum(len(text) + 1 for text in texts)
    loss = -math.fsum(scores) / num_tokens
    told = read_checkpoint(folder / "best.ckpt")[DESCRIPTION_KEY]["metadata"]
    assert told["val_loss"] == pytest.approx(loss, abs=1e-4)
    assert f"loss {loss:.4f} per token, perplexity {math.exp(loss):.2f}" in stdout
    _, info, _ = call("info", folder / "best.ckpt")
    assert f"num_parameters: {loaded.model.num_parameters}\n" in info
    # Better than to think all tokens alike.
    assert loss < math.log(len(loaded.tokenizer.tokens)) - 0.05
    assert (folder / "curves.png").is_file()


def test_a_run_that_is_cut_within_an_epoch_resumes_exactly(
    trained_lm, tones, tmp_path, monkeypatch
):
    folder = tmp_path / "lm"
    folder.mkdir()
    options = [*LM, *tones.overrides, "trainer.max_epochs=6", "callbacks.save_every=0"]
    config = read_options(compose_config("train", options), TrainOptions)
    write_options(folder, config, None)

    def end_in_epoch_3(task, batch, index):
        if batch.key[0] == 2 and index == 2:
            raise KeyError("power cut")
        return step(task, batch, index)

    step = LanguageModelTask.training_step
    monkeypatch.setattr(LanguageModelTask, "training_step", end_in_epoch_3)
    with pytest.raises(KeyError, match="power cut"):
        run_training(config, folder, None)
    monkeypatch.undo()
    assert resume([f"resume={folder}"]) == 0
    expected = read_checkpoint(trained_lm[0] / "last.ckpt")
    found = read_checkpoint(folder / "last.ckpt")
    assert found["global_step"] == expected["global_step"]
    for name, value in expected["state_dict"].items():
        assert torch.equal(found["state_dict"][name], value), name


def test_it_chooses_among_the_texts_of_a_search(
    trained_lm, trained, tones, tmp_path, capsys
):
    lm = trained_lm[0] / "best.ckpt"
    corpus = ["corpus=manifest", *tones.overrides]
    options = [f"rescore={lm}", "decoder.beam_size=8", "rescore_texts=8"]
    status = tune(
        [str(trained.checkpoint), *corpus, *options, "rescore_weights=[0.0,0.5,1000]"]
    )
    assert status == 0
    record = json.loads((trained_lm[0] / "best.rescore.weights.json").read_text())
    best = read_weights(lm, "rescore", RESCORE_WEIGHTS)["rescore_weight"]
    assert best == record["rescore_weight"] < 1000
    printed = capsys.readouterr().out
    assert f"best: rescore_weight={best:g}" in printed
    output = tmp_path / "dev.jsonl"
    evaluate(
        [
            str(trained.checkpoint),
            *corpus,
            "split=dev",
            "decoder=prefix_beam",
            *options,
            f"output={output}",
        ]
    )
    results = read_results(output)
    edits = sum(result.word_errors.edits for result in results)
    num_words = sum(result.word_errors.reference_length for result in results)
    assert edits / num_words == pytest.approx(record["wer"])
    for result in results:
        assert [word.text for word in result.words] == result.hypothesis.split()
    # Who listens to the language model alone hears what it likes best.
    heavy = tmp_path / "heavy.jsonl"
    evaluate(
        [
            str(trained.checkpoint),
            *corpus,
            "split=dev",
            "decoder=prefix_beam",
            *options,
            "rescore_weight=1000",
            f"output={heavy}",
        ]
    )
    assert read_results(heavy) != results


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["decoder=greedy"], "the decoder finds one text only"),
        (["decoder=prefix_beam", "rescore=nowhere.ckpt"], r"nowhere\.ckpt: no such"),
    ],
)
def test_what_cannot_be_rescored_is_refused(
    options, expected, trained_lm, trained, tones, tmp_path
):
    lm = [f"rescore={trained_lm[0] / 'best.ckpt'}"]
    if any(option.startswith("rescore=") for option in options):
        lm = []
    corpus = ["corpus=manifest", *tones.overrides, f"output={tmp_path / 'r.jsonl'}"]
    with pytest.raises(InputError, match=expected):
        evaluate([str(trained.checkpoint), *corpus, *lm, *options])
    assert not (tmp_path / "r.jsonl").exists()


def test_what_has_no_weights_is_not_tuned(trained_lm, trained, tones):
    lm = f"rescore={trained_lm[0] / 'best.ckpt'}"
    corpus = ["corpus=manifest", *tones.overrides]
    with pytest.raises(InputError, match="GreedyDecoder, which has no weights"):
        tune([str(trained.checkpoint), *corpus, lm, "decoder=greedy"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["features.n_mels=20"], "a language model does not obey features.n_mels"),
        (["augment=speed"], "a language model does not obey augment"),
        (["encoder.bidirectional=true"], "set encoder.bidirectional=false"),
        (["data.batch_tokens=0"], "data.batch_tokens is 0"),
        (["data.texts=[nowhere.txt]"], "nowhere.txt: cannot be read"),
        (["task=ctc"], "an acoustic model does not obey data.batch_tokens"),
    ],
)
@pytest.mark.usefixtures("threads")
def test_options_that_make_no_sense_are_refused(
    options, expected, tones, tmp_path, call
):
    folder = f"hydra.run.dir={tmp_path / 'run'}"
    code, _, err = call("train", *LM, *tones.overrides, folder, *options)
    out_of_range = options == ["data.batch_tokens=0"]
    assert code == (2 if out_of_range else 1)
    assert expected in err
