# report_names.sh - names that would steer a terminal are text like any other on a page and in the
# tables behind it.
. "$TESTS/cli/strange.bash"
make_strange run.h5
"$GRADTRACE" report run.h5 --group-by tensor -o page.html --tsv tables 2>/dev/null || exit
look page.html tables/{groups,findings,facts,policies,spill_groups,updates}.tsv
cut -f 1 tables/groups.tsv | sed -n 2,9p
