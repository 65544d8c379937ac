# import_shapes.sh - long tables, wide tables and JSON lines, and what is told about them.
cat >long.tsv <<'END'
it	tensor	l2	gain
5	model.layers.0.q_proj.weight	0.5	1
5	model.layers.0.k_proj.weight	nan	1
6	model.layers.0.q_proj.weight	1e-200	1
END
"$GRADTRACE" import long.tsv --columns step=it,name=tensor,norm=l2
"$GRADTRACE" export long.h5

cat >wide.csv <<'END'
step;loss;grad_norm/q;grad_norm/k;grad_norm/total
0;2.5;3;4;5
1;2.25;;4;4
1;2.25;6;
END
"$GRADTRACE" import wide.csv
printf 'step;loss;grad_norm/q;grad_norm/k;grad_norm/total\n0;2.5;3;4;5\n1;2.25;;4;4\n2;2' |
    "$GRADTRACE" import - -o wide.h5
"$GRADTRACE" export wide.h5 --layout wide

cat >run.jsonl <<'END'
{"_step": 0, "train/loss": 2.5, "_runtime": 3.5}
{"_step": 0, "gradients": {"q": 0.5, "k": "NaN"}}
{"_step": 1, "eval/accuracy": 0.25}
{"_step": 2, "gradients": {"q": 0.25, "k": 2}}
{"_step": 2, "gradients": {"q": 0.75, "k": 3}}
END
"$GRADTRACE" import run.jsonl
"$GRADTRACE" import run.jsonl --repeats last --total-steps 100 --grad-state pre-clip
"$GRADTRACE" export run.h5 --format jsonl
