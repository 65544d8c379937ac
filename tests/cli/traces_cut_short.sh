# traces_cut_short.sh - a trace that ends early is refused by name, wherever it ends.
#
# What HDF5 says about it differs between its releases, so only the status is compared, and that
# the message names command and file.
. "$TESTS/cli/try.bash"
make_trace run.h5
size=$(stat -c %s run.h5)

for part in 1 4 8 20 100 $((size / 8)) $((size / 3)) $((size / 2)) $((size - 1)); do
    head -c "$part" run.h5 >cut.h5
    for command in info "replay -p none" export; do
        set -- $command
        name=$1
        shift
        timeout 20 "$GRADTRACE" $name cut.h5 "$@" >out 2>message
        status=$?
        [ $status -eq 1 ] || echo "$part bytes of $size, $name: status $status"
        grep -q "^gradtrace $name: cut.h5: " message || cat message
        [ "$(wc -l <message)" -eq 1 ] || cat message
    done
done
