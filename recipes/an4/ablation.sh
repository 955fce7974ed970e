#!/usr/bin/env bash
# What helps, row by row of ablation.yaml; see benchmarks/ablation.py.
#   ablation.sh              every row that is not done
#   ablation.sh NAME...      these
# FOLD=2/4 holds out other speakers. Run again after an interruption, it goes on where it was
# stopped.
exec python "$(dirname "$0")/../../benchmarks/ablation.py" "$(dirname "$0")/ablation.yaml" \
    --fold "${FOLD:-1/4}" "$@"
