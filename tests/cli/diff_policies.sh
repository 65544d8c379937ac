# diff_policies.sh - two policies on one trace, counted by hand: the norms of make_trace, of which
# one step has o_proj at 64 and all others at 1.
. "$TESTS/cli/try.bash"
make_trace run.h5
try diff run.h5 -p group:max_norm=4,eps=0 -p global:max_norm=4,eps=0
try diff run.h5 -p group:max_norm=4,eps=0 -p group:max_norm=4,eps=0 --window 0:9 | sed -n 1,8p
try diff run.h5 -p none -p group:max_norm=2,eps=0 --tsv -
try diff run.h5 -p none -p group:max_norm=2,eps=0 --json - | tail -n 12
cp "$TRACES/gpt2.h5" .
try diff gpt2.h5 -p global:max_norm=1 -p aggc-paper
