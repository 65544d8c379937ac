# slurm_array.sh - the job that tools/README.md shows for Slurm arrays, by a shell that stands in
# for it: tasks are numbered as --shard numbers its parts, from 1; an array from 0 is refused.
cat >sweep.sbatch <<'JOB'
#!/bin/bash
#SBATCH --array=1-4
gradtrace sweep run.h5 -p aggc --set beta=0.5:0.99:8 --set high=1.1:3:5 \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" -o "part-$SLURM_ARRAY_TASK_ID.h5"
JOB
mkdir bin
ln -s "$GRADTRACE" bin/gradtrace
PATH=$PWD/bin:$PATH
cp "$TRACES/lora.h5" run.h5
task() {
    SLURM_ARRAY_TASK_ID=$1 SLURM_ARRAY_TASK_COUNT=$2 bash sweep.sbatch >/dev/null
    echo "task $1 of $2 -> $?"
}
for id in 3 1 4 2; do
    task $id 4
done
sweep=(gradtrace sweep run.h5 -p aggc --set beta=0.5:0.99:8 --set high=1.1:3:5)
"${sweep[@]}" $(printf -- '--join %s ' part-*.h5) -o whole.h5 >joined.txt
"${sweep[@]}" -o once.h5 >once.txt
cmp whole.h5 once.h5 && cmp joined.txt once.txt && echo "joined: the bytes of one run"
task 0 4
