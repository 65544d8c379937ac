# import_output.sh - the trace's name comes from the log's; an existing file stays.
mkdir folder.d
printf 'step,q\n0,1\n' >folder.d/run
cp folder.d/run run.v2.csv
"$GRADTRACE" import folder.d/run
"$GRADTRACE" import run.v2.csv
"$GRADTRACE" import run.v2.csv && echo "replaced without --force"
printf 'step,q\n0,2\n' >run.v2.csv
"$GRADTRACE" import run.v2.csv --force
"$GRADTRACE" export run.v2.h5
"$GRADTRACE" import run.v2.csv -o nowhere/run.h5 && echo "written nowhere"
ls -R
