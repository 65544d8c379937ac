# import_refusals.sh - errors name the log, the line and the remedy, and leave nothing behind.
refuse() {
    "$GRADTRACE" import "$@"
    echo "status $?"
}
printf 'step,module,norm\n0,q,0.5\n0.5,q,1\n' >half.csv
printf 'step,module,norm\n0,q,0.5\n0,q,1\n' >twice.csv
printf 'step,module,norm\n0,q,-1\n' >negative.csv
printf 'iteration,module,value\n0,q,1\n' >value.csv
printf '{"step": 1, "loss": 2}\n' >loss.jsonl
printf '{"step": 1,\n "grad_norm/q": 2}\n' >pretty.json
printf "\211HDF\r\n\032\n\0\0" >trace.bin
refuse half.csv
refuse twice.csv
refuse negative.csv
refuse value.csv
refuse value.csv --columns norm=valeu
refuse value.csv --columns norm=value,stp=iteration
refuse loss.jsonl
refuse pretty.json
refuse trace.bin
refuse nothing.csv
refuse .  -o folder.h5
refuse
refuse -
refuse half.csv twice.csv
refuse half.csv --format xml
refuse half.csv --total-steps 1.5
refuse value.csv --columns norm=value --group-by modul
ls
