# doctor_output.sh - the catalogue; findings as tab-separated text and JSON; options that are wrong.
. "$TESTS/cli/try.bash"

"$GRADTRACE" simulate --scenario culprit -o run.h5 --layers 1 --steps 400 2>/dev/null
try doctor --list
try doctor run.h5 --tsv -
try doctor run.h5 -p global:max_norm=2 --json - --only spikes,spill-over
try doctor run.h5 --tsv rows.tsv --json rows.json
wc -l <rows.tsv
try doctor run.h5 --tsv rows.tsv
try doctor run.h5 --only spikse
try doctor run.h5 --only ,
try doctor run.h5 --tsv - --json -
try doctor
try doctor none.h5
try doctor run.h5 -p globel
try doctor run.h5 -p aggc-code-lora --only stuck-at-cap --strict
try doctor run.h5 -p aggc-code-lora --only never-reached --strict
