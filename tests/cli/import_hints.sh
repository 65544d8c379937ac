# import_hints.sh - what import refuses and advises; the advice, followed, leads to a trace.
. "$TESTS/cli/try.bash"
first() { "$GRADTRACE" export "$1" | sed -n '2p;$p'; }

echo "== a table without norms: the columns can be named"
printf 'step,loss,iter_time,tokens\n1,4,0.5,10\n2,3,0.25,20\n' >seconds.csv
try import seconds.csv
try import seconds.csv --keys iter_time
echo "== one column: taken, and said"
printf 'Wall time,Step,Value\n17,1,0.5\n18,2,0.25\n' >value.csv
try import value.csv
echo "== two optimizers: one is taken"
for t in 1 2 3; do
    echo "{\"step\": $t, \"data\": {\"actor/grad_norm\": 0.$t, \"critic/grad_norm\": 8.$t}}"
done >ppo.jsonl
try import ppo.jsonl
try import ppo.jsonl --keys '*actor/grad_norm'
first ppo.h5
echo "== two runs of a panel: one is taken, without its envelope"
cat >panel.csv <<'END'
"train/global_step","a - _step","a - g/grad_norm","a - g/grad_norm__MIN","b - g/grad_norm"
"10","0","4.5","4.5","5.5"
"20","1","3.5","3.5","4.5"
"30","2","2.5","2.5","3.5"
END
try import panel.csv
try import panel.csv --keys 'a - g/grad_norm'
try import panel.csv --keys 'a - *' --force
first panel.h5
echo "== several whole norms that are not the same"
printf 'step,grad_norm,train/grad_norm\n1,1,2\n2,2,3\n3,3,4\n' >whole.csv
try import whole.csv
try import whole.csv --keys grad_norm
echo "== the same norm again, a total, the norm after clipping: left out"
printf 'step,grad-norm,grad-norm vs samples\n1,3,3\n2,2,2\n3,1,1\n' >same.csv
try import same.csv
printf 'step,grads/a,grads/b,grads/sum\n1,3,4,5\n2,6,8,10\n3,3,4,5\n' >total.csv
try import total.csv
printf 'step,grad_norm,grad_norm_clipped,max_grad_norm\n1,3,1,1\n2,2,1,1\n' >clipped.csv
try import clipped.csv --max-norm 1
"$GRADTRACE" info clipped.h5 | grep -E '^(gradients|clipping|scale)'
try import clipped.csv --keys grad_norm_clipped --grad-state post-clip --force
try import clipped.csv --grad-state post-clip --max-norm 1 --force
echo "== rows without steps"
printf "  0%%|  | 0/2{'loss': 2, 'grad_norm': 1.5}\n{'loss': 1, 'grad_norm': 0.5}\n" >out.log
try import out.log
try import out.log --every 10 --force
first out.h5
printf '{"grad_norm": 1.5}\n{"grad_norm": 0.5}\n' >stepless.jsonl
try import stepless.jsonl
try import stepless.jsonl --every 4
try import seconds.csv --keys tokens --every 4 --force
printf 'step,grad_norm\n1,1\n,2\n' >hole.csv
try import hole.csv
echo "== a console that nobody knows"
printf 'up 3: cost 2.5, |g| = 1.5\nup 4: cost 2.25, |g| = 0.5\n' >own.log
try import own.log
try import own.log --pattern 'up {step}: cost {loss}, |g| = {norm}'
first own.h5
try import own.log --pattern 'upd {step} {norm}' --force
try import own.log --pattern 'up {step}' --force
echo "== logs that never hold a norm"
echo '{"current_steps": 10, "total_steps": 90, "loss": 2.5, "remaining_time": "0:01"}' >f.jsonl
try import f.jsonl
echo '{"data_time": 0.1, "eta_seconds": 9, "iteration": 19, "lr": 0.1, "total_loss": 2.5}' >d.json
try import d.json
printf 'epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,2,0.5,2\n' >keras.csv
try import keras.csv
echo '[2026-01-02 03:04:05,678] [INFO] [logging.py:96:log_dist] [Rank 0] step=10, lr=[1]' >ds.log
try import ds.log
printf '\037\213\010' >log.gz
try import log.gz
