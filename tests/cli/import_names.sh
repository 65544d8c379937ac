# import_names.sh - what logs and files are called does not steer a terminal, whoever tells it:
# notes, errors, verify.
. "$TESTS/cli/strange.bash"
printf '{"_step": 0, "grad_norm": {"esc\\u001b[31m": 1}}\n' >refused.jsonl
printf '{"_step": 0, "grad_norm": {"bidi\\u202et": 3, "q": 4}}\n' >log.jsonl
name=$(printf 'run\033[31m.h5')
{
    "$GRADTRACE" import refused.jsonl -o "$name"
    "$GRADTRACE" import log.jsonl -o "$name"
    "$GRADTRACE" import log.jsonl -o "$name"
    "$GRADTRACE" verify "$name"
    "$GRADTRACE" recover "$name" -o saved.h5
    "$GRADTRACE" merge "$name" -o merged.h5
    "$GRADTRACE" simulate --scenario healthy --steps 10 -o "$name" --force
    "$GRADTRACE" explain "$name" --step 100
} >all.txt 2>&1
look all.txt
cat all.txt
