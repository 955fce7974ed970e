#!/usr/bin/env bash
# Prove on one GPU what is said of it: run.sh [cpu] [PART ...]; see README.md.
# PYTHON is the interpreter, WHEELS the folder of carried wheels.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
python="${PYTHON:-python3}"
wheels="${WHEELS:-$root/.whl}"

export PYTHONPATH="$root:$here:$here/../speed${PYTHONPATH:+:$PYTHONPATH}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
if compgen -G "$wheels/*.whl" > /dev/null; then
    site="$(mktemp -d)"
    trap 'rm -rf "$site"' EXIT
    "$python" -m pip install --quiet --no-index --no-deps --no-compile \
        --disable-pip-version-check --target "$site" "$wheels"/*.whl
    export PYTHONPATH="$PYTHONPATH:$site"
fi
"$python" "$here/kit.py" "$@"
