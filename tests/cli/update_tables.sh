# update_tables.sh - what reaches AdamW of four policies, from the elements of a real run; a
# constant scale does not.
"$GRADTRACE" update "$TRACES/lora.h5" -p none -p global:max_norm=1 -p aggc-code-lora -p aggc-paper |
    sed "s,$TRACES/,,"
echo "== SGD, which cancels nothing"
"$GRADTRACE" update "$TRACES/lora.h5" -p aggc-code-lora --optimizer sgd:momentum=0 --warm-up 0 |
    sed "s,$TRACES/,,"
