# try.bash - what the scripts here share: `try` shows a command, what it says, and its status.

try() {
    echo "\$ gradtrace $*"
    timeout 20 "$GRADTRACE" "$@" 2>&1
    echo "-> $?"
}

# A trace of three groups and 40 steps, made of integers by import.
make_trace() {
    local t
    {
        echo step,q_proj,k_proj,o_proj
        for ((t = 0; t < 40; t++)); do
            echo "$t,$((1 + t * 7 % 5)),$((2 + t * 3 % 4)),$((t == 20 ? 64 : 1))"
        done
    } >log.csv
    "$GRADTRACE" import log.csv -o "$1" --total-steps 40 >/dev/null 2>&1 || echo "no trace: $?"
}
