# replay_options_that_are_wrong.sh - each names the option, the value and what is allowed; status 2.
. "$TESTS/cli/try.bash"
make_trace run.h5

try replay
try replay run.h5
try replay run.h5 more.h5 -p none
try replay run.h5 -p
try replay run.h5 -p golbal
try replay run.h5 -p aggc-papr
try replay run.h5 -p xylophone
try replay run.h5 -p global:max_nrm=1
try replay run.h5 -p global:max_norm=-1
try replay run.h5 -p global:max_norm=one
try replay run.h5 -p global:max_norm
try replay run.h5 -p aggc:beta=1.5
try replay run.h5 -p aggc:form=papr
try replay run.h5 -p group:q_prj=1
try replay run.h5 -p group:quantile=90
try replay run.h5 -p none --threads many
try replay run.h5 -p none --threads -1
try replay run.h5 -p none --threads 9999
try replay run.h5 -p none --total-steps 1e3
try replay run.h5 -p none --nonfinite skp
try replay run.h5 -p none --group-by modul
try replay run.h5 -p none --group-by file:
try replay run.h5 -p none --group-by file:missing.tsv
try replay run.h5 -p none --stpes steps.tsv
try replay run.h5 -p none --steps
# A policy is checked before anything is opened or written.
try replay missing.h5 -p golbal --steps steps.tsv
ls
