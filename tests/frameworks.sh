#!/bin/bash
# frameworks.sh - the Python tests again, with the training frameworks of today.
#
#     tests/frameworks.sh [NAME...]      names as tests/python/run.py takes them; none: all
#
# Debian's torch is years old and its transformers are none, so what the Trainer, PEFT, Accelerate
# and TRL do is tested in an environment of its own, made from PyPI (6 GB, some minutes) and kept
# from run to run in $GRADTRACE_VENV, or gradtrace/venv of the user's cache.  Where PyPI cannot be
# reached the tests are skipped.  The versions are those that the tests are known to pass with.
set -u
cd "$(dirname "$0")/.." || exit 1
wanted='torch==2.15.0 transformers==5.24.0 peft==0.21.2 accelerate==1.15.0 trl==1.16.0
    lightning==2.6.6 h5py==3.16.0 numpy==2.4.6'
# What only writes logs, for test_logs_imported, comes on top: nothing is made anew for it.
writers='tensorboard==2.21.0 mmengine==0.10.7'
venv=${GRADTRACE_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/gradtrace/venv}

# A pip that was interrupted leaves no mark, and what it left is made anew.
make_venv() {
    make_base || return 1
    [ "$(cat "$venv/writes" 2>/dev/null)" = "$writers" ] && return
    # shellcheck disable=SC2086 # words
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $writers &&
        echo "$writers" >"$venv/writes"
}

make_base() {
    [ "$(cat "$venv/made-of" 2>/dev/null)" = "$wanted" ] && return
    rm -rf "$venv"
    python3 -m venv "$venv" || return 1
    # shellcheck disable=SC2086 # words
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $wanted &&
        echo "$wanted" >"$venv/made-of"
}

if ! make_venv >"${BUILD:-build}/frameworks.log" 2>&1; then
    tail -n 3 "${BUILD:-build}/frameworks.log"
    exec tests/skip.sh "no environment with transformers and TRL: pip failed"
fi
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 TOKENIZERS_PARALLELISM=false
exec "$venv/bin/python" tests/python/run.py "$@"
