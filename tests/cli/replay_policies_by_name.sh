# replay_policies_by_name.sh - each policy of a comparison has a name of its own, as short as may
# be; groups that are not there are told before anything is computed.
. "$TESTS/cli/try.bash"
make_trace run.h5

labels() {
    "$GRADTRACE" replay run.h5 "$@" --steps - 2>/dev/null | tail -n +2 | cut -f 2 | uniq
}
labels -p none -p aggc-paper:beta=0.5 -p aggc
labels -p group -p aggc -p group:q_proj=0.5 -p group -p group

try replay run.h5 -p none -p group:q_porj=0.5
try replay run.h5 -p aggc:beta@*_prjo=0.5
try replay run.h5 --group-by all -p group:all=0.5 -p group:q_proj=1 --steps -

# Norms that were clipped already are no ground for a comparison, and that is said.
printf 'step,module,norm\n0,a,1\n1,a,2\n' >clipped.csv
"$GRADTRACE" import clipped.csv --grad-state post-clip >/dev/null 2>&1
try replay clipped.h5 -p global --stats - | grep -v '^\$' | head -n 2
