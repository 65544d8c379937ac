#!/bin/bash
# wheel.sh - what `make wheel` leaves must work for somebody who has nothing but pip.
#
#     tests/wheel.sh        or make check-wheel, which makes the wheel first
#
# Installs it into an environment of its own, beside an h5py that brings another HDF5, and there:
# looks which libraries it needs, runs the README's sessions, reads and records, draws.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
BUILD=${BUILD:-$root/build}
unset GRADTRACE GRADTRACE_LIBRARY PYTHONPATH
export PYTHONDONTWRITEBYTECODE=1

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

step() {
    if (cd "$scratch" && "$@") >"$scratch/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $*"
        sed 's/^/    /' "$scratch/log"
    fi
}

wheel=$(ls "$BUILD"/wheel/gradtrace-*.whl) || exit 1
venv=$scratch/venv
bin=$venv/bin
if ! { python3 -m venv "$venv" && "$bin/python" -m pip install --quiet \
    --disable-pip-version-check h5py; } >"$scratch/log" 2>&1; then
    exec tests/skip.sh "no environment with h5py: pip failed"
fi

pip_installs_it() {
    "$bin/python" -m pip install --quiet --disable-pip-version-check "$wheel" &&
        [ "$(cd / && "$bin/gradtrace" --version)" = "$("$BUILD/gradtrace" --version)" ]
}
# libc's own, zlib as every Linux has it, and nothing from the system's HDF5.
it_needs_nothing_of_the_system() {
    local file
    for file in "$bin"/../lib/python3*/site-packages/gradtrace/bin/{gradtrace,libgradtrace.so}; do
        ldd "$file" || return 1
        ldd "$file" | grep -vE 'linux-vdso|ld-linux|libc\.so|libm\.so|libz\.so|/site-packages/' &&
            return 1
    done
    return 0
}
the_readmes_sessions_run_from_it() {
    GRADTRACE=$bin/gradtrace "$bin/python" "$root/tests/readme.py"
}
# Whichever HDF5 is loaded first, each keeps its own.
it_reads_beside_another_hdf5() {
    local first second
    for first in h5py gradtrace; do
        [ $first = h5py ] && second=gradtrace || second=h5py
        "$bin/python" -c "
import $first, $second
trace = gradtrace.open('$root/traces/lora.h5')
with h5py.File('$root/traces/lora.h5', 'r') as file:
    theirs = file['norm/sumsq'][:]
assert (trace.sumsq == theirs).all()
assert gradtrace.__file__.startswith('$venv'), gradtrace.__file__
assert len(trace.replay('aggc-paper').scale) == 1200
assert trace.sweep('global')['clip_rate'] == [655 / 1200]
assert gradtrace.open('$root/traces/lora.h5').elements(0).shape == (60, 128)
" || return 1
    done
}
python_that_sees_torch() {
    local python
    for python in /usr/bin/python3 python3; do
        command -v $python >/dev/null && $python -c 'import torch' 2>/dev/null || continue
        echo $python
        return
    done
}
it_records_with_any_python() {
    local python
    python=$(python_that_sees_torch)
    [ -n "$python" ] || return 0
    cat >train.py <<'END'
import torch
net = torch.nn.Linear(8, 3)
optimizer = torch.optim.AdamW(net.parameters())
for step in range(5):
    optimizer.zero_grad()
    net(torch.randn(4, 8)).square().mean().backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
END
    "$bin/gradtrace" record -o recorded.h5 -- "$python" train.py 2>told || return 1
    cat told
    grep -x 'gradtrace record: recorded.h5: 5 steps of 2 tensors' told || return 1
    "$bin/python" -c "import gradtrace; assert len(gradtrace.open('recorded.h5').norm) == 5"
}
it_finds_its_figures() {
    command -v gnuplot >/dev/null || return 0
    "$bin/python" -c "
import gradtrace
assert gradtrace.open('$root/traces/lora.h5').plot('norms').data[:4] == b'\x89PNG'"
}

step pip_installs_it
step it_needs_nothing_of_the_system
step the_readmes_sessions_run_from_it
step it_reads_beside_another_hdf5
step it_records_with_any_python
step it_finds_its_figures
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
