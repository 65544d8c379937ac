# export_names.sh - names that would steer a terminal or break a row are exported escaped, and what
# was exported is imported again.
. "$TESTS/cli/strange.bash"
make_strange run.h5
for form in csv tsv jsonl; do
    "$GRADTRACE" export run.h5 -o norms.$form
    look norms.$form
    "$GRADTRACE" import norms.$form -o $form.h5 2>/dev/null
    echo "imported: $?"
    "$GRADTRACE" export $form.h5 --format csv | cut -d , -f 3 | sort >$form.norms
done
cmp csv.norms tsv.norms && cmp csv.norms jsonl.norms && echo "the same norms"
head -n 9 norms.tsv | cut -f 2
