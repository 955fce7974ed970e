# To be sourced. train RUN OPTION...: begins a run in that folder, or goes on where it was
# stopped.
train() {
    local run="$1"
    shift
    if [ -e "$run/last.ckpt" ]; then
        echo "$run is there, and keeps the options that it began with; for others name" \
            "another folder: RUNS_FOLDER=FOLDER" >&2
        speechgru train resume="$run"
    else
        speechgru train "$@" hydra.run.dir="$run"
    fi
}
