# output_links.sh - what a link leads to is written, and the link stays one.
"$GRADTRACE" simulate --scenario healthy --layout tiny --steps 20 -o run.h5 2>/dev/null
mkdir folder
ln -s real.csv link
ln -s ../link folder/link
ln -s loop loop
ln -s /proc/self/fd/1 out

"$GRADTRACE" export run.h5 -o folder/link && readlink link folder/link
"$GRADTRACE" export run.h5 -o link
echo "-> $?"
"$GRADTRACE" export run.h5 -o link --force && readlink link && ls
"$GRADTRACE" export run.h5 | cmp - real.csv && echo "the same through links"
"$GRADTRACE" export run.h5 -o out --force | cmp - real.csv && readlink out
"$GRADTRACE" export run.h5 -o loop
echo "-> $?"
"$GRADTRACE" merge run.h5 -o link --force 2>/dev/null && readlink link
"$GRADTRACE" info real.csv | grep steps
