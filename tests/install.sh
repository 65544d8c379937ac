#!/bin/bash
# install.sh - what `make install` leaves must work from where it lies.
#
# Installs into a scratch folder and, as a stranger would: links a C and a C++ program through
# pkg-config, runs the installed program on the trace that one of them recorded, draws a figure,
# imports the Python package, records a training script, completes a command line; then uninstalls.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build} CC=${CC:-gcc}
unset MAKEFLAGS MAKELEVEL GRADTRACE_LIBRARY PYTHONPATH

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix
passed=0 failed=0

# Runs a step in the scratch folder; what it printed is shown if it failed.
step() {
    if (cd "$scratch" && "$@") >"$scratch/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $*"
        sed 's/^/    /' "$scratch/log"
    fi
}

cat >"$scratch/record.c" <<'END'
#include <gradtrace.h>
#include <stdio.h>

int main(void)
{
    const float gradient[4] = { 3, 0, 4, 0 };
    struct gtr_record_options options;
    struct gtr_recorder *recorder = NULL;
    struct gtr_err err = { GTR_OK, "", NULL, 0 };
    int step;

    gtr_record_options_init(&options);
    gtr_recorder_open("run.h5", &options, &recorder, &err);
    gtr_recorder_tensor(recorder, "layers.0.q_proj.weight", "2x2", 4, GTR_F32, &err);
    for (step = 0; step < 20 && err.code == GTR_OK; step++) {
        gtr_recorder_begin(recorder, step, 1.0, 1e-3, &err);
        gtr_recorder_grad(recorder, 0, gradient, &err);
        gtr_recorder_end(recorder, &err);
    }
    if (err.code == GTR_OK)
        gtr_recorder_close(recorder, &err);
    if (err.code != GTR_OK)
        fprintf(stderr, "%s\n", err.text);
    return err.code != GTR_OK;
}
END

# Two headers, each enough by itself, beside the system's own <err.h>.
headers_stand_alone() {
    local header
    ls "$prefix/include"
    [ "$(ls "$prefix/include" | xargs)" = "gradtrace.h gradtrace_lab.h" ] || return 1
    for header in gradtrace gradtrace_lab; do
        printf '#include <%s.h>\n#include <err.h>\nint main(void) { warnx("%%d", GTR_OK); }\n' \
            $header >alone.c
        $CC -std=c11 -Wall -Wextra -Wpedantic -Werror -c alone.c $(flags --cflags) || return 1
        command -v g++ >/dev/null || continue
        g++ -x c++ -std=c++17 -Wall -Wextra -Werror -c alone.c $(flags --cflags) || return 1
    done
}
flags() {
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "$@" gradtrace
}
links_the_shared_library() {
    $CC -std=c11 -Wall -Wextra -Werror record.c $(flags --cflags --libs) -o record || return 1
    rm -f run.h5
    LD_LIBRARY_PATH=$prefix/lib ./record && [ -s run.h5 ]
}
links_the_static_library() {
    $CC -std=c11 record.c $(flags --cflags) "$prefix/lib/libgradtrace.a" \
        $(flags --static --libs | sed 's/-lgradtrace//') -o record_static || return 1
    rm -f run.h5
    ./record_static && [ -s run.h5 ]
}
links_from_cxx() {
    command -v g++ >/dev/null || return 0
    cp record.c record.cc
    g++ -Wall -Werror record.cc $(flags --cflags --libs) -o record_cxx || return 1
    rm -f run.h5
    LD_LIBRARY_PATH=$prefix/lib ./record_cxx && [ -s run.h5 ]
}
the_program_replays() {
    "$prefix/bin/gradtrace" --version | grep -x 'gradtrace [0-9.]*' || return 1
    "$prefix/bin/gradtrace" info run.h5 || return 1
    "$prefix/bin/gradtrace" replay run.h5 -p global:max_norm=1
}
the_program_finds_its_figures() {
    command -v gnuplot >/dev/null || return 0
    "$prefix/bin/gradtrace" plot run.h5 -p aggc-paper --figure norms --format png -o figures &&
        ls figures/*.png
}
python_that_sees_torch() {
    local python
    for python in /usr/bin/python3 python3; do
        command -v $python >/dev/null && $python -c 'import torch' 2>/dev/null || continue
        echo $python
        return
    done
}
python_imports_the_package() {
    local folder python
    folder=$(dirname "$(find "$prefix" -path '*gradtrace/__init__.py' -printf '%h\n')")
    python=$(python_that_sees_torch)
    [ -n "$python" ] || return 0
    (cd / && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$folder $python -c '
import gradtrace, gradtrace._library as library
print(gradtrace.__file__, library.find())
assert library.find().startswith("'"$prefix"'/"), library.find()
library.load()')
}
the_program_records_a_script() {
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
    PYTHONDONTWRITEBYTECODE=1 "$prefix/bin/gradtrace" record -o recorded.h5 -- \
        $python train.py 2>told || return 1
    cat told
    grep -x 'gradtrace record: recorded.h5: 5 steps of 2 tensors' told || return 1
    "$prefix/bin/gradtrace" info recorded.h5 | grep 'numbered 0 to 4'
}
completion_offers_commands() {
    PATH=$prefix/bin:$PATH bash -c '
        . "$0"/share/bash-completion/completions/gradtrace
        COMP_WORDS=(gradtrace repl) COMP_CWORD=1; _gradtrace
        [ "${COMPREPLY[*]}" = replay ] || exit 1
        COMP_WORDS=(gradtrace replay run.h5 --pol) COMP_CWORD=3; _gradtrace
        [ "${COMPREPLY[*]}" = --policy ] || exit 1
        COMP_WORDS=(gradtrace replay run.h5 -p aggc-p) COMP_CWORD=4; _gradtrace
        [ "${COMPREPLY[*]}" = aggc-paper ]' "$prefix"
}
the_manual_page_renders() {
    [ -s "$prefix/share/man/man1/gradtrace.1" ] || return 1
    grep -q '@VERSION@' "$prefix/share/man/man1/gradtrace.1" && return 1
    command -v man >/dev/null || return 0
    [ -z "$(man -l --warnings "$prefix/share/man/man1/gradtrace.1" 2>&1 >/dev/null)" ]
}
a_package_is_staged_in_destdir() {
    make -s -C "$root" BUILD="$BUILD" DESTDIR="$scratch/stage" PREFIX=/usr install || return 1
    [ -x stage/usr/bin/gradtrace ] && grep -x 'prefix=/usr' stage/usr/lib/pkgconfig/gradtrace.pc
}
uninstall_leaves_nothing() {
    make -s -C "$root" BUILD="$BUILD" PREFIX="$prefix" uninstall || return 1
    [ -z "$(find "$prefix" ! -type d -print | tee /dev/stderr)" ]
}

root=$PWD
step make -s -C "$root" BUILD="$BUILD" PREFIX="$prefix" install
step headers_stand_alone
step links_the_static_library
step links_from_cxx
step links_the_shared_library
step the_program_replays
step the_program_finds_its_figures
step python_imports_the_package
step the_program_records_a_script
step completion_offers_commands
step the_manual_page_renders
step a_package_is_staged_in_destdir
step uninstall_leaves_nothing
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
