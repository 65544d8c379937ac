# mpi.bash - what the tests of gradtrace-mpi share: `ranks N COMMAND` runs it on N ranks, and shows
# what they say and the status.

command -v mpirun >/dev/null || { echo "no mpirun here"; exit 77; }
[ -x "$GRADTRACE-mpi" ] || { echo "gradtrace-mpi is not built"; exit 77; }

# Open MPI leaks, and will not start as root or with more ranks than cores unless told to.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export ASAN_OPTIONS=detect_leaks=0 MPI_PROGRAM=$GRADTRACE-mpi

# What mpirun itself adds about failures, the node's name and how many threads it has go out, and so
# does the line on how far it is that a busy machine lives to see.
ranks() {
    local n=$1
    shift
    timeout 60 mpirun -n "$n" "$@" 2>err
    echo "-> $?"
    grep -a '^gradtrace' err | grep -v ' a second, .* s left$' | sed 's/on 1 node, [0-9]* threads/on 1 node/; s/ on [^ ]*:/ on NODE:/'
}
