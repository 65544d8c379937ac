# info_policies.sh - the catalogue as text, and that what it shows can be used as it stands.
. "$TESTS/cli/try.bash"
awk 'BEGIN {
    print "step,module,norm,loss,weight_norm,maxabs,numel"
    for (t = 0; t < 40; t++)
        for (j = 1; j < 3; j++) {
            n = (1 + t % 7) * j / 4
            printf "%d,g%d,%g,%g,4,%g,64\n", t, j, n, 3 - t / 40, n / 2
        }
}' >log.csv
"$GRADTRACE" import log.csv -o run.h5 --total-steps 40 >/dev/null 2>&1

try info --policies

# The names stand alone in the first column, for grep and for the shell's completion.
"$GRADTRACE" info --policies | grep -oE '^[a-z][a-z0-9-]*' | while read -r name; do
    "$GRADTRACE" replay run.h5 -p "$name" --steps "$name.tsv" >/dev/null ||
        echo "not a policy: $name"
done

# A preset's own text does what its name does.
"$GRADTRACE" info --policies | sed -n '/^Presets/,$p' | grep -E '^  [a-z-]+:[^ ]+$' >texts
"$GRADTRACE" info --policies | sed -n '/^Presets/,$p' | grep -oE '^[a-z][a-z0-9-]*' |
    paste - texts | while read -r name text; do
    "$GRADTRACE" replay run.h5 -p "$text" --steps text.tsv --force >/dev/null
    cmp <(cut -f 1,3- "$name.tsv") <(cut -f 1,3- text.tsv) && echo "$name: the same"
done
