# plot_without_gnuplot.sh - no gnuplot, or one that fails: the rows and scripts are kept, the status
# is 1, and the message says what to do.
. "$TESTS/cli/try.bash"
make_trace run.h5
mkdir nothing broken killed

echo "== not there"
PATH=$PWD/nothing "$GRADTRACE" plot run.h5 -p aggc -o figures 2>&1
echo "-> $?"
ls -A figures
PATH=$PWD/nothing "$GRADTRACE" plot run.h5 -p aggc --term 2>&1
echo "-> $?"

echo "== it fails"
printf '#!/bin/sh\necho trouble ahead >&2\necho "\\"$2\\" line 7: no such thing" >&2\nexit 3\n' \
    >broken/gnuplot
chmod +x broken/gnuplot
PATH=$PWD/broken:$PATH "$GRADTRACE" plot run.h5 -p aggc --figure norms,scales -o failed 2>&1
echo "-> $?"
ls -A failed

echo "== it is killed"
printf '#!/bin/sh\nkill -9 $$\n' >killed/gnuplot
chmod +x killed/gnuplot
PATH=$PWD/killed:$PATH "$GRADTRACE" plot run.h5 -p aggc --figure norms -o failed --force 2>&1
echo "-> $?"
ls -A failed

echo "== the scripts are not there"
mkdir -p bin
cp "$GRADTRACE" bin/gradtrace
bin/gradtrace plot run.h5 -p aggc -o lost 2>&1 | sed "s,$PWD,HERE,"
ls -A
