# explain_step.sh - one step in words: a spike, what each policy did and why, the first step, the
# last one, and one that is not finite.
. "$TESTS/cli/try.bash"
make_trace run.h5
try explain run.h5 --step 20 -p none -p global:max_norm=8,eps=0 -p group:max_norm=4,eps=0 \
    -p aggc-paper -p aggc-code-lora
try explain run.h5 --step worst --kappa 5 | sed -n 1,6p
try explain run.h5 --step 0 -p aggc-code-lora
try explain run.h5 --step 39 -p global:max_norm=100 --top 1
"$GRADTRACE" simulate --scenario healthy --layout tiny --set nonfinite=1 --steps 40 \
    -o nan.h5 2>/dev/null
step=$("$GRADTRACE" info nan.h5 --meta | sed -n '/"nonfinite": \[/{n;s/[^0-9]//g;p}')
try explain nan.h5 --step "$step" -p global:max_norm=1 -p aggc-paper
try explain nan.h5 --step "$step" -p group:max_norm=1 --nonfinite propagate --top 2 | tail -n 20
cp "$TRACES/gpt2.h5" .
try explain gpt2.h5 --step worst -p global:max_norm=1
