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
