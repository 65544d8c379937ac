#!/bin/bash
# lint.sh - the rules of this house that a compiler does not check.
#
# Each function below is one rule: it prints what breaks it, as FILE:LINE: WHY, or nothing.  The
# sources are those that git knows or would take; without git, all of them.  The rules about symbols
# look at what `make lint` has just built: the library, the program's objects, the public headers.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
export LC_ALL=C.UTF-8

all_files() {
    git ls-files -co --exclude-standard 2>/dev/null ||
        find . -type f -not -path "./$BUILD/*" -not -path './demo/*' | sed 's,^\./,,'
}
mapfile -t files < <(all_files | while read -r f; do [ -f "$f" ] && echo "$f"; done)

# The files whose names match one of the globs.
named() {
    local file glob
    for file in "${files[@]}"; do
        for glob in "$@"; do
            [[ $file == $glob ]] && echo "$file" && break
        done
    done
}
mapfile -t c_files < <(named 'lib/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]' '*.cu')
mapfile -t code < <(named '*.[ch]' '*.cu' '*.py' '*.sh' '*.gp' '*.bash' Makefile .ci/run)
mapfile -t texts < <(named '*.[ch]' '*.cu' '*.py' '*.sh' '*.gp' '*.bash' '*.md' '*.1' Makefile \
                           .ci/run .gitignore)

# Who may include whom: a room sees the rooms on the lines above its own, and itself.
ladder='
lib/base
lib/deflate lib/policy
lib/h5
lib/trace
lib/segment lib/groups lib/sums
lib/logs lib/record lib/replay
lib/update lib/simulate
lib/study
lib/sweep lib/doctor
lib
tools/kit
tools/figures
tools/record tools/info tools/sweep tools/spill tools/diff tools/doctor tools/explain tools/update
tools/report
tools
'
declare -A rank
while read -r level room; do
    rank[$room]=$level
done < <(awk '{ for (i = 1; i <= NF; i++) print NR, $i }' <<<"$ladder")

includes_point_downward() {
    local file line name target
    declare -A place
    for file in $(named 'lib/*.h' 'tools/*.h'); do
        place[${file##*/}]=$file
    done
    grep -no '#include "[^"]*"' $(named 'lib/*.[ch]' 'lib/*.cu' 'tools/*.[ch]') |
        while IFS=: read -r file line name; do
            name=${name#*\"} name=${name%\"}
            target=${place[$name]-}
            if [ -z "$target" ]; then
                echo "$file:$line: $name is not a header of lib/ or tools/"
            elif [ "${file%/*}" = "${target%/*}" ]; then
                continue
            elif [[ $file == tools/* && $target == lib/* && $target != lib/gradtrace*.h ]]; then
                echo "$file:$line: tools see the library through its public headers, not $name"
            elif [ "${rank[${target%/*}]:-99}" -ge "${rank[${file%/*}]:-0}" ]; then
                echo "$file:$line: $name is not below this room"
            fi
        done
}

symbols_form_no_circles() {
    local said
    said=$(python3 tests/circles.py "$BUILD") || echo "$said"
}

rooms_hold_at_most_45_files() {
    named 'lib/*' 'tools/*' | sed 's,/[^/]*$,,' | sort | uniq -c |
        awk '$1 > 45 { print $2 ": " $1 " files" }'
}

only_the_h5_files_include_hdf5() {
    grep -n '#include *<hdf5' "${c_files[@]}" | grep -v '^lib/h5/' |
        grep -v '^tests/' | sed 's/$/ : only lib\/h5 may/'
}

only_cu_files_include_cuda() {
    grep -nE '#include *[<"](cuda|nv)[a-z_]*\.h' $(named '*.[ch]') |
        grep -v -e ':#include "cuda.h"' -e '^tests/cuda_on_cpu/' |
        sed 's/$/ : only *.cu may; the others are compiled where there is no CUDA/'
}

symbols_carry_the_prefix() {
    nm -D --defined-only "$BUILD/libgradtrace.so" | awk '$3 !~ /^gtr_/ && $2 != "A" {
        print "libgradtrace.so: " $3 " is exported without gtr_" }'
    nm -g --defined-only "$BUILD/libgradtrace.a" | awk 'NF == 3 && $3 !~ /^gtr_/ {
        print "libgradtrace.a: " $3 " is global without gtr_" }'
}

# Functions that the public headers declare, as they are installed.
public_functions() {
    ${CC:-cc} -E -P "$BUILD/include/gradtrace_lab.h" |
        awk '/^static/ { inside = 1 } !inside { print } /^}/ { inside = 0 }' |
        grep -o '\bgtr_[a-z0-9_]*(' | tr -d '(' | sort -u
}

exports_are_what_the_public_headers_declare() {
    diff <(nm -D --defined-only "$BUILD/libgradtrace.so" | awk '$2 != "A" { print $3 }' | sort -u) \
        <(public_functions) | sed -n 's/^</libgradtrace.so exports, and no header declares:/p
                                      s/^>/declared, and not exported by libgradtrace.so:/p'
}

tools_use_public_functions_only() {
    local file
    for file in $(named 'tools/*.c'); do
        nm -A -u "$BUILD/${file%.c}.o"
    done | awk 'NR == FNR { public[$1] = 1; next }
                $NF ~ /^gtr_/ && !($NF in public) { print $1 " uses " $NF ", not public" }' \
        <(public_functions) -
}

# Only the child that h5_probe.c starts may end itself.
the_library_neither_prints_nor_exits() {
    nm -A -u "$BUILD/libgradtrace.a" | awk '{ sub(/@.*/, "", $NF) }
        $NF ~ /^(printf|vprintf|puts|putchar|perror|stdout|stderr|exit|_exit|abort|system)$/ ||
        $NF ~ /^(__printf_chk|__assert_fail|getenv|secure_getenv|error|err|errx|warn|warnx)$/ {
            print $1 " uses " $NF }' | grep -v 'h5_probe.o: uses _exit$'
}

names_of_sources_are_unique() {
    named '*.[ch]' '*.cu' '*.gp' | awk -F/ '$NF in seen { print $0 ": also " seen[$NF] }
                                            { seen[$NF] = $0 }'
}

files_are_at_most_500_lines() {
    awk 'FNR == 501 { print FILENAME ": more than 500 lines" }' "${code[@]}"
}

functions_are_at_most_60_lines() {
    awk '/^{/ { start = FNR }
         /^}/ { if (start && FNR - start + 1 > 60)
                    print FILENAME ":" start ": a function of " FNR - start + 1 " lines"
                start = 0 }' "${c_files[@]}"
}

# A row of a table, { "name", ... }, may be longer: broken in two it is no table any more.
lines_are_at_most_100_columns() {
    awk 'length($0) > 100 && !(/^ *\{ ".*\},$/ && length($0) <= 140) {
        print FILENAME ":" FNR ": " length($0) " columns" }' $(named '*.[ch]' '*.cu' '*.py' '*.sh' \
        Makefile .ci/run)
}

c_has_no_tabs() {
    grep -n "$(printf '\t')" "${c_files[@]}" | sed 's/:[^:]*$/: a tab/'
}

no_line_ends_in_space() {
    grep -nE '[[:space:]]+$' "${texts[@]}" | sed 's/\([^:]*:[^:]*\):.*/\1: space at the end/'
}

nothing_is_left_for_later() {
    grep -nE '\b(TO[D]O|FIX[M]E|X[X]X)\b|^#if [0]' "${texts[@]}"
}

# The brackets keep these patterns from finding themselves.
nothing_names_one_machine() {
    grep -nE '(^|[^a-z])/(hom[e]|wor[k]|roo[t]|User[s])/|/tm[p]/[a-z]' "${texts[@]}" |
        grep -v XXXXXX
    grep -nF '../share''d' "${texts[@]}"
    grep -nE 'pyp[i]\.org|npmj[s]\.|deb\.debia[n]\.org|crate[s]\.io' "${texts[@]}"
}

# Releases of clang-format differ in what they make of the same rules.
layout_is_clang_formats() {
    command -v clang-format >/dev/null && clang-format --version | grep -q ' 14\.' || return 0
    clang-format --dry-run -Werror "${c_files[@]}" 2>&1 | grep ': error:' |
        sed 's/: error: .*/: clang-format -i would change this/'
}

files_open_with_their_name() {
    local file name
    for file in "${code[@]}"; do
        name=${file##*/}
        [ "$name" = Makefile ] || [ "$name" = __init__.py ] && continue
        [ -s "$file" ] || continue
        head -n 3 "$file" | grep -q -F "$name - " || echo "$file:1: does not open with \"$name - \""
    done
}

scripts_parse() {
    local file
    for file in $(named '*.sh' '*.bash' .ci/run); do
        bash -n "$file" 2>&1
    done
}

passed=0 failed=0
for rule in includes_point_downward symbols_form_no_circles rooms_hold_at_most_45_files \
    layout_is_clang_formats only_the_h5_files_include_hdf5 only_cu_files_include_cuda \
    symbols_carry_the_prefix exports_are_what_the_public_headers_declare \
    tools_use_public_functions_only the_library_neither_prints_nor_exits \
    names_of_sources_are_unique files_are_at_most_500_lines functions_are_at_most_60_lines \
    lines_are_at_most_100_columns \
    c_has_no_tabs no_line_ends_in_space nothing_is_left_for_later nothing_names_one_machine \
    files_open_with_their_name scripts_parse; do
    broken=$($rule)
    if [ -z "$broken" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $rule"
        sed 's/^/    /' <<<"$broken"
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
