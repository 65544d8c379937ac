# traces_that_lie.sh - files that claim too much, lack something or hold the wrong kind.
#
# The corpus of the fuzzer, one message each.  2 GiB of address space: nothing may be allocated
# that a file of 10 kB cannot justify.
. "$TESTS/cli/try.bash"
[ -n "${ASAN_OPTIONS-}" ] || nm "$GRADTRACE" 2>/dev/null | grep -q __asan_init || ulimit -v 2097152

for name in wide tall long_index long_names scalar vector integers big_endian negative backward \
    empty no_sumsq group_in_place; do
    cp "$TESTS/fuzz/corpus/trace/$name.h5" .
    try replay $name.h5 -p none
done
