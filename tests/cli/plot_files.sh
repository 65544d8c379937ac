# plot_files.sh - which files a picture has, that they draw it again, and that none is replaced
# unasked.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }
make_trace run.h5

kind() {
    case $(head -c 5 "$1" | tr -d '\0') in
    ?PNG*) echo png ;;
    %PDF-) echo pdf ;;
    '<?xml') echo svg ;;
    *) echo text ;;
    esac
}

try plot run.h5 -p aggc -p global:max_norm=3 -p none -o figures
for file in figures/*; do
    [ -s "$file" ] || echo "$file is empty"
    case $file in *.png) [ "$(kind "$file")" = png ] || echo "$file is no png" ;; esac
done
ls -A figures

# The script is all it takes, wherever the folder goes.
mv figures elsewhere
(
    cd elsewhere || exit
    for script in *.gp; do
        cp "${script%.gp}.png" ../before.png
        rm "${script%.gp}.png"
        LC_ALL=C.UTF-8 gnuplot "$script" 2>&1
        cmp "${script%.gp}.png" ../before.png
    done
)
mv elsewhere figures

try plot run.h5 -p aggc -o figures
rm figures/norms.tsv figures/norms.gp
try plot run.h5 -p aggc --figure norms -o figures
try plot run.h5 -p aggc --figure norms -o figures --force

echo "== all formats"
try plot run.h5 -p aggc --figure norms,scales --format png,svg,pdf,tex -o formats
for file in formats/*; do echo "$file $(kind "$file")"; done
grep -c 'includegraphics.*{norms-latex}' formats/norms-latex.tex

echo "== names"
try plot run.h5 -p 'group:max_norm=1' -p 'group:max_norm=2' --figure heatmap -o names
echo file >occupied
try plot run.h5 -p aggc --figure norms -o occupied
try plot run.h5 -p aggc --figure norms -o no/such/folder
