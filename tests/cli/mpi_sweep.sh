# mpi_sweep.sh - a sweep on many ranks: the bytes of one process, one message if anything is wrong,
# and a stop that can be gone on from.
. "$TESTS/cli/mpi.bash"
axes=(-p aggc --set beta=0.5:0.99:32:logit --set high=1.1:4:16:log --set low=0.1:0.9:16
    --set low_late=0,0.5 --where 'low<high')
trace=$TRACES/lora.h5

"$GRADTRACE" sweep --device cpu "$trace" "${axes[@]}" -o one.h5 >one.txt
"$GRADTRACE" sweep --device cpu "$trace" "${axes[@]}" --tsv one.tsv >/dev/null
for n in 2 3; do
    ranks $n "$MPI_PROGRAM" sweep --device cpu "$trace" "${axes[@]}" -o $n.h5 --tsv $n.tsv >$n.txt
    tail -n 2 $n.txt
    head -n -2 $n.txt | cmp - one.txt
    cmp one.h5 $n.h5 && cmp one.tsv $n.tsv && echo "$n ranks: the same bytes"
done
ranks 2 "$MPI_PROGRAM" sweep --device cpu "$trace" -p global --set max_norm=1,2,3 --tsv - >few.tsv
"$GRADTRACE" sweep --device cpu "$trace" -p global --set max_norm=1,2,3 --tsv - |
    cmp - <(head -n -2 few.tsv) &&
    echo "more ranks than pieces: the same bytes"
ranks 2 "$MPI_PROGRAM" sweep --device cpu "$trace" "${axes[@]}" --shard 2/3 -o part.h5 >/dev/null
"$GRADTRACE" sweep --device cpu "$trace" "${axes[@]}" --shard 2/3 -o part-one.h5 >/dev/null
cmp part.h5 part-one.h5 && echo "a shard on two ranks: the same bytes"

echo; echo "everything else is done by rank 0"
"$GRADTRACE" replay "$trace" -p aggc-paper >replay.txt
ranks 2 "$MPI_PROGRAM" replay "$trace" -p aggc-paper | head -n -1 | cmp - replay.txt

echo; echo "what is wrong is told once"
ranks 2 "$MPI_PROGRAM" sweep --device cpu nothing.h5 "${axes[@]}"
ranks 2 "$MPI_PROGRAM" sweep --device cpu "$trace" "${axes[@]}" --seed
ranks 2 "$MPI_PROGRAM" sweep --device cpu "$trace" -p aggc --set beta=0.5,0.9 --set beta=0.5
ranks 2 "$MPI_PROGRAM" sweep --device cpu "$trace" "${axes[@]}" -o one.h5
ranks 2 "$MPI_PROGRAM" sweep --device cpu "$trace" "${axes[@]}" -o nowhere/x.h5

echo; echo "so is what is wrong on one node"
mkdir 0 1
cp "$trace" 0/run.h5
own=(bash -c 'cd $OMPI_COMM_WORLD_RANK && exec "$MPI_PROGRAM" "$@"' bash)
ranks 2 "${own[@]}" sweep --device cpu run.h5 "${axes[@]}"
cp "$TRACES/gpt2.h5" 1/run.h5
ranks 2 "${own[@]}" sweep --device cpu run.h5 "${axes[@]}"

echo; echo "a signal to one rank stops all, and so does its end; the next run goes on"
slow=(-p aggc --set beta=0.5:0.99:128:logit --set high=1.1:4:64:log --set low=0.1:0.9:16)
own=(bash -c 'echo $$ >pid-$OMPI_COMM_WORLD_RANK; exec "$MPI_PROGRAM" "$@"' bash)
part_size() {
    stat -c %s slow.h5.part 2>/dev/null || echo 0
}
for how in "INT 1" "INT 0" "KILL 1"; do
    read -r signal rank <<<"$how"
    before=$(part_size)
    (
        until [ "$(part_size)" -gt $((before + 1000)) ]; do sleep 0.05; done
        kill "-$signal" "$(cat pid-$rank)"
    ) &
    ranks 2 "${own[@]}" sweep --device cpu "$trace" "${slow[@]}" --threads 1 -o slow.h5 >stopped.txt
    wait
    grep -a -e '->' -e stopped stopped.txt | sed 's/[0-9]* of/SOME of/'
done
ls slow.h5 slow.h5.part 2>&1 | sed 's/^ls: //'
ranks 3 "$MPI_PROGRAM" sweep --device cpu "$trace" "${slow[@]}" -o slow.h5 |
    grep -a -e '->' -e before |
    sed 's/[0-9]* of/SOME of/'
"$GRADTRACE" sweep --device cpu "$trace" "${slow[@]}" -o slow-one.h5 >/dev/null
cmp slow.h5 slow-one.h5 && echo "stopped and gone on: the same bytes"
