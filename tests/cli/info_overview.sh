# info_overview.sh - what a trace says about itself, its steps and its meta.
. "$TESTS/cli/try.bash"

# 12 steps of two tensors; a NaN at step 107; the sixth norm is the largest.
{
    echo step,loss,lr,model.layers.0.mlp.up_proj.weight,model.layers.1.mlp.up_proj.weight
    for t in 0 1 2 3 4 5 6 7 8 9 10 11; do
        norm=3
        [ $t = 5 ] && norm=30
        [ $t = 7 ] && norm=nan
        echo "$((100 + t)),$((24 - t)).5,0.$((t + 1)),$norm,4"
    done
} >log.csv
"$GRADTRACE" import log.csv -o run.h5 --total-steps 200 --grad-state pre-clip --group-by layer \
    >import.txt 2>&1 || cat import.txt

try info run.h5 | sed '/^producer/s/gradtrace [0-9].*/gradtrace VERSION/'
try info run.h5 --meta
try info run.h5 --steps
try info run.h5 --steps --threads 1 | cksum >one
try info run.h5 --steps --threads 7 | sed 's/--threads 7/--threads 1/' | cksum >seven
cmp one seven

# What was clipped before it was recorded says so.
"$GRADTRACE" import log.csv -o after.h5 --grad-state post-clip >import.txt 2>&1 || cat import.txt
try info after.h5 | grep -A 1 gradients
