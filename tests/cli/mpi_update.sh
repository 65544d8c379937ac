# mpi_update.sh - update replay on many ranks: the bytes of one process, and one message if a rank
# fails, before the work or in it.
. "$TESTS/cli/mpi.bash"
update() {
    local n=$1
    shift
    ranks "$n" "$MPI_PROGRAM" update --device cpu run.h5 -p aggc-paper -p global:max_norm=1 \
        -p none "$@"
}

"$GRADTRACE" simulate --scenario culprit --layout tiny --layers 40 --elements full --steps 12 \
    --set spikes=2 -o run.h5 >/dev/null 2>&1
"$GRADTRACE" update --device cpu run.h5 -p aggc-paper -p global:max_norm=1 -p none -o 1.h5 >1.txt
"$GRADTRACE" update --device cpu run.h5 -p aggc-paper -p global:max_norm=1 -p none \
    --tsv 1.tsv >/dev/null
for n in 2 3; do
    update $n -o $n.h5 --tsv $n.tsv >$n.txt
    tail -n 2 $n.txt
    head -n -2 $n.txt | cmp - 1.txt
    cmp 1.h5 $n.h5 && cmp 1.tsv $n.tsv && echo "$n ranks: the same bytes"
done

echo; echo "what is wrong is told once"
update 2 -o 1.h5
update 2 --warm-up 12

echo; echo "also by a rank that fails in the middle of it"
mkdir 0 1 2
for rank in 0 1 2; do
    cp run.h5 $rank/run.h5
done
own=(bash -c 'cd $OMPI_COMM_WORLD_RANK && exec "$MPI_PROGRAM" "$@"' bash)
size=$(stat -c %s run.h5)
for rank in 2 0; do
    for at in {30..60..2}; do # in the middle, where nothing but elements lies
        printf 'damage%.0s' {1..10} |
            dd of=$rank/run.h5 bs=1 seek=$((size * at / 100)) conv=notrunc status=none
    done
    ranks 3 "${own[@]}" update --device cpu run.h5 -p aggc-paper | sed 's,/grad/.*,/grad/...,'
done
