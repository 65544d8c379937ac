# sweep_pieces.sh - shards that are joined, and a sweep that is killed again and again and goes on,
# give the file of a sweep run in one piece, byte for byte.
axes=(--set beta=0.5:0.99:32:logit --set high=1.1:4:16:log --set low=0.1:0.9:16
    --set low_late=0,0.5 --where 'low<high')
sweep() {
    "$GRADTRACE" sweep "$TRACES/lora.h5" -p aggc "${axes[@]}" "$@"
}

sweep -o whole.h5 >/dev/null
for part in 1/3 2/3 3/3; do
    sweep --shard $part -o "part-${part%/*}.h5" >/dev/null
done
sweep --join part-2.h5 --join part-1.h5 --join part-3.h5 -o joined.h5 >/dev/null
cmp whole.h5 joined.h5 && echo "joined: the same bytes"
sweep --join part-1.h5 --join part-3.h5 -o missing.h5 >/dev/null

kills=0
until [ -e killed.h5 ]; do
    # Longer each time, so that it comes to an end on a slow machine as well.
    # In a shell of its own, which keeps the news of the killing to itself.
    bash -c 'timeout -s KILL "$@"; true' bash "$(awk "BEGIN { print 0.15 * ($kills + 1) }")" \
        "$GRADTRACE" sweep "$TRACES/lora.h5" -p aggc "${axes[@]}" -o killed.h5 >/dev/null 2>&1
    kills=$((kills + 1))
done
cmp whole.h5 killed.h5 && echo "killed and gone on: the same bytes"
ls killed.h5.part 2>/dev/null
