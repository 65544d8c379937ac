#!/bin/bash
# outputs.sh - what every command writes about the committed traces, to compare two builds.
#
#     tests/outputs.sh PROGRAM FOLDER
#
# FOLDER, which is made, gets one file for each thing that PROGRAM writes: text for people, TSV,
# JSON, figures' numbers and scripts as they are, HDF5 as h5dump prints it.  Then `diff -r A B` of
# the folders of two builds shows what a change of the code changed.  An option that a build does
# not have leaves an empty file.  Two runs of one build give the same folder.
set -u
program=$(realpath "$1") out=$2
traces=$(cd "$(dirname "$0")/../traces" && pwd)
export SOURCE_DATE_EPOCH=0 LC_ALL=C TZ=UTC
mkdir "$out" && cd "$out" || exit 1 # a new one: commands replace no file

# say NAME ARG...: what a command prints, and its exit status.
say() {
    local name=$1
    shift
    "$program" "$@" >"$name.txt" 2>"$name.err"
    echo "exit $?" >>"$name.err"
}
# h5 NAME: NAME.h5 as text.
h5() {
    [ -e "$1.h5" ] && h5dump -m %.17g "$1.h5" | sed '1d' >"$1.dump"
    rm -f "$1.h5"
}

policies=(-p none -p global:max_norm=1 -p group:quantile=0.9 -p aggc-paper -p aggc-code-lora)
for trace in gpt2 lora; do
    from=$traces/$trace.h5
    say $trace.info info "$from"
    say $trace.info-meta info "$from" --meta
    say $trace.info-steps info "$from" --steps
    say $trace.verify verify "$from"
    for rule in module tensor layer; do
        name=$trace.$rule by=(--group-by $rule)
        say $name.info-groups info "$from" --groups "${by[@]}"
        say $name.replay replay "$from" "${policies[@]}" "${by[@]}" --stats $name.replay.tsv \
            --steps $name.replay.steps --objectives $name.replay.objectives -o $name.replay.h5
        h5 $name.replay
        say $name.replay-nonfinite replay "$from" "${policies[@]}" "${by[@]}" \
            --nonfinite propagate --total-steps 5000
        say $name.spill spill "$from" --max-norm 1 "${by[@]}" --tsv $name.spill.tsv \
            --json $name.spill.json --steps $name.spill.steps -o $name.spill.h5
        h5 $name.spill
        say $name.spill-auto spill "$from" --max-norm auto -p group:quantile=0.9 "${by[@]}"
        say $name.doctor doctor "$from" "${policies[@]}" "${by[@]}" --tsv $name.doctor.tsv \
            --json $name.doctor.json
        say $name.explain explain "$from" --step worst "${policies[@]}" "${by[@]}" \
            --json $name.explain.json
        say $name.explain-700 explain "$from" --step 700 "${by[@]}" --top 0
        say $name.diff-policies diff "$from" -p global:max_norm=1 -p aggc-paper "${by[@]}" \
            --tsv $name.diff-policies.tsv --json $name.diff-policies.json
        say $name.diff-windows diff "$from" --window 200:500 --window 800:1100 "${by[@]}" \
            --tsv $name.diff-windows.tsv --json $name.diff-windows.json
        say $name.update update "$from" "${policies[@]}" "${by[@]}" --tsv $name.update.tsv \
            -o $name.update.h5
        h5 $name.update
        say $name.plot plot "$from" "${policies[@]}" "${by[@]}" --figure all --format svg \
            -o $name.figures
        say $name.export export "$from" "${by[@]}" --layout wide
        say $name.report report "$from" "${by[@]}" --tsv $name.report-tables -o $name.report.html
    done
    say $trace.sweep sweep "$from" -p global --set max_norm=auto:24 -p aggc \
        --set beta=0.9,0.99 --set high=1.5:5:6 --set low=0,0.5 --split 3 --tsv $trace.sweep.tsv \
        -o $trace.sweep.h5 --figures $trace.sweep-figures --format svg
    h5 $trace.sweep
    say $trace.sweep-saltelli sweep "$from" -p aggc --set beta=0.9:0.999:3 --set high=1.1:6:3 \
        --saltelli 32 --goal leak+volatility
    say $trace.figures-spill spill "$from" --max-norm 1 --figures $trace.spill-figures --format svg
    say $trace.figures-update update "$from" -p aggc-paper --figures $trace.update-figures \
        --format svg
    for figure in norms panels interval heatmap scales layers spike tails; do
        say $trace.term-$figure plot "$from" -p aggc-paper --figure $figure --term
    done
    say $trace.export-jsonl export "$from" --format jsonl
    say $trace.merge merge "$from" -o $trace.merge.h5
    h5 $trace.merge
    say $trace.recover recover "$from" -o $trace.recover.h5
    h5 $trace.recover
done
say diff-traces diff "$traces/gpt2.h5" "$traces/lora.h5" --group-by all --tsv diff-traces.tsv \
    --json diff-traces.json
say import import "$PWD/gpt2.export-jsonl.txt" --format jsonl -o import.h5
h5 import
for what in policies group-rules devices; do
    say info-$what info --$what
done
say doctor-list doctor --list
say simulate-list simulate --list
for scenario in healthy culprit bursts; do
    say simulate-$scenario simulate --scenario $scenario --steps 200 -o simulate-$scenario.h5
    h5 simulate-$scenario
done
for command in diff doctor explain export import info merge plot record recover replay report \
    simulate spill sweep update verify; do
    say help-$command $command --help
done
# Figures hold their numbers and scripts; pictures follow from them.
find . \( -name '*.svg' -o -name '*.png' \) -delete
