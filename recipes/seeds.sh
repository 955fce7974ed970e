# To be sourced: takes [SEED...] [-- OPTIONS OF TRAINING] from the arguments that are left,
# into the arrays seeds, (1) if there is none, and options.
seeds=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    seeds+=("$1")
    shift
done
options=("${@:2}")
[ ${#seeds[@]} -gt 0 ] || seeds=(1)
