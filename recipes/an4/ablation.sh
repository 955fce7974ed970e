#!/usr/bin/env bash
# What helps: one change a row, about 30 CPU-minutes each. Trains on three of four folds of
# the speakers of train and dev, and scores the last epoch on the fourth; test is not touched.
#   ablation.sh              every row that is not done
#   ablation.sh NAME...      these
# Run again after an interruption, it goes on where it was stopped.
set -euo pipefail

fold="${FOLD:-1/4}"
folder="runs/an4/ablation/fold${fold%/*}"
wanted=("$@")
# What the recipe has from rows below, undone.
base=(augment=speed normalize=utterance data.wordless=0
    features.n_mels=80 features.hop_length=160 spec_augment.max_freq_width=15
    spec_augment.max_time_width=25 spec_augment.max_time_fraction=0.1
    spec_augment.frames_per_time_mask=null subsampling.depth=1 subsampling.norm=null
    encoder.hidden_size=256 encoder.piece_range=null task.optimizer=adamw
    task.learning_rate=2e-3 task.consistency=0 data.batch_seconds=40)

row() {
    local name="$1" epochs="$2" run="$folder/$1"
    shift 2
    if [ ${#wanted[@]} -gt 0 ] && [[ ! " ${wanted[*]} " == *" $name "* ]]; then return; fi
    if [ ! -e "$run/results.jsonl" ]; then
        if [ -e "$run/last.ckpt" ]; then
            speechgru train resume="$run"
        else
            speechgru train recipe=an4/bigru trainer.precision=32-true data.fold="$fold" \
                trainer.max_epochs="$epochs" callbacks.keep_every="$epochs" \
                logger.tensorboard=false hydra.run.dir="$run" "${base[@]}" "$@"
        fi
        speechgru evaluate "$run/$(printf 'epoch-%04d.ckpt' "$epochs")" corpus=an4 fold="$fold" \
            output="$run/results.jsonl" > "$run/score.txt"
    fi
    echo "== $name: $* $(sed -n 2p "$run/score.txt")"
    if [ "$name" != base ]; then
        speechgru compare "$folder/base/results.jsonl" "$run/results.jsonl" resample=speaker | grep '^B - A'
    fi
}

speechgru prepare corpus=an4
row base 50
row batch20 40 data.batch_seconds=20
speeds=('augment.speed.factors=[0.8,0.85,0.9,0.95,1.0,1.05,1.1,1.15,1.2]')
row speeds 45 "${speeds[@]}"
masks=(spec_augment.max_time_fraction=0.2 spec_augment.frames_per_time_mask=60)
row masks 45 "${masks[@]}"
row noise 45 'augment=[speed,gain,noise]'
row reverb 45 'augment=[speed,reverb]'
row consistency 22 task.consistency=0.2
row consistency-masks 22 task.consistency=0.2 "${masks[@]}"
row smoothing 45 task.smoothing=0.05
row intermediate 45 task.intermediate=0.3
row average 45 task.average=0.99
row variational 45 encoder.variational=true
row weight-dropout 45 encoder.weight_dropout=0.2
row norm 45 encoder.norm=batch
deep=(subsampling.depth=2 subsampling.norm=batch)
row deep 45 "${deep[@]}"
views=("${deep[@]}" task.consistency=0.2 "${masks[@]}")
row views 22 "${views[@]}"
row views-speeds 22 "${views[@]}" "${speeds[@]}" data.batch_seconds=20 task.average=0.99
row views-norm 22 "${views[@]}" encoder.norm=batch
row views-rate 22 "${views[@]}" task.learning_rate=4e-3
bands=(features.n_mels=40 spec_augment.max_freq_width=8)
small=("${bands[@]}" encoder.hidden_size=192)
row views-small 22 "${views[@]}" "${small[@]}"
row views-small-long 75 "${views[@]}" "${small[@]}"
row views-long 50 "${views[@]}"
row views-long-warp 50 "${views[@]}" spec_augment.max_freq_warp=4
muon=("${views[@]}" task.optimizer=muon)
row muon-small 22 "${muon[@]}" "${small[@]}"
row muon 30 "${muon[@]}"
pieces=("${muon[@]}" 'encoder.piece_range=[15,150]')
row pieces-small 22 "${pieces[@]}" "${small[@]}"
row pieces 40 "${pieces[@]}" "${bands[@]}"
noise=('augment=[speed,noise]' augment.noise.low=15 augment.noise.high=50 augment.noise.probability=1)
row noise-small 22 "${pieces[@]}" "${small[@]}" "${noise[@]}"
step=(data.batch_seconds=80 task.learning_rate=3e-3)
fine=("${muon[@]}" "${small[@]}" "${step[@]}")
row fine 30 "${fine[@]}"
row fine-256 30 "${fine[@]}" encoder.hidden_size=256
row fine-ligru 30 "${fine[@]}" encoder=ligru
row fine-noise 30 "${fine[@]}" "${noise[@]}" encoder.weight_dropout=0.2
row fine-masks 45 "${fine[@]}" spec_augment.frames_per_time_mask=40 task.weight_decay=0.1
fine_pieces=("${fine[@]}" 'encoder.piece_range=[15,150]')
row fine-pieces 45 "${fine_pieces[@]}"
row fine-pieces-long 70 "${fine_pieces[@]}"
short=("${fine[@]}" features.hop_length=128 'encoder.piece_range=[20,190]'
    spec_augment.max_time_width=30 spec_augment.frames_per_time_mask=75)
row short-frames 36 "${short[@]}"
row silence 36 "${short[@]}" normalize=active 'augment=[speed,silence]' data.wordless=0.03
row ligru 40 encoder=ligru
row deep-ligru 45 "${deep[@]}" encoder=ligru
row small 60 encoder.hidden_size=192
row large 30 encoder.hidden_size=384
row conv1d 60 subsampling=conv1d subsampling.channels=128
row words 50 text=words
