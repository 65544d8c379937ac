# info_groups.sh - tensors in groups, by each rule, by a file, and what is no rule.
. "$TESTS/cli/try.bash"

names=model.embed_tokens.weight
for layer in 0 1; do
    for name in self_attn.q_proj.weight mlp.up_proj.lora_A.weight mlp.up_proj.lora_B.weight \
        input_layernorm.weight 7.weight; do
        names=$names,model.layers.$layer.$name
    done
done
{
    echo "step,$names,lm_head.weight"
    echo 0,1,2,3,4,5,6,7,8,9,10,11,12
    echo 1,1,2,3,4,5,6,7,8,9,10,11,24
    echo 2,1,2,3,4,5,6,7,8,9,10,11,12
} >log.csv
"$GRADTRACE" import log.csv -o run.h5 >import.txt 2>&1 || cat import.txt

try info run.h5 --groups
for rule in module layer layer.module tensor all lora-ab aggc; do
    try info run.h5 --group-by $rule
done

printf '# mine\n*lora*\tadapters\n*.layers.*\tthe rest of the blocks\n' >groups.tsv
try info run.h5 --group-by file:groups.tsv
printf '*lora*\tadapters\nno tab here\n' >bad.tsv
try info run.h5 --group-by file:bad.tsv
try info run.h5 --group-by file:none.tsv
try info run.h5 --group-by file:.
try info run.h5 --group-by file:
try info run.h5 --group-by layers
try info run.h5 --group-by param-group
try info --group-rules
