# doctor_finds.sh - what doctor says of runs with something wrong, of settings, and of the committed
# traces; it says nothing of a calm one.
. "$TESTS/cli/try.bash"

make_run() {
    "$GRADTRACE" simulate --scenario "$1" -o "$1.h5" --layers 1 --steps 400 "${@:2}" 2>/dev/null ||
        echo "no $1: $?"
}

make_run healthy --set surge=0
try doctor healthy.h5
try doctor healthy.h5 -p group:quantile=0.99 -p aggc-paper --strict
for name in culprit dominant post-clip loss-scale shards nonfinite stale dead; do
    make_run $name
    try doctor $name.h5
done
ln -s "$TRACES/lora.h5" "$TRACES/gpt2.h5" .
try doctor lora.h5
try doctor lora.h5 -p aggc-code-lora --strict
try doctor gpt2.h5 -p global:max_norm=1
try doctor nonfinite.h5 -p aggc-paper --nonfinite propagate --only poisoned
