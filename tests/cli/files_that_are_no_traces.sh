# files_that_are_no_traces.sh - each command that reads a trace refuses what is none, quickly.
. "$TESTS/cli/try.bash"

mkdir folder
mkfifo pipe
: >empty.h5
echo 'not a trace' >text.h5
cp "$TESTS/fuzz/corpus/trace/other_program.h5" other.h5

for file in missing.h5 folder pipe empty.h5 text.h5 other.h5 /dev/null ''; do
    try info "$file"
    try replay "$file" -p none -o result.h5
    try plot "$file" -p none -o figures
    try export "$file" -o norms.csv
    try verify "$file"
    try recover "$file" -o saved.h5
    try merge "$file" -o packed.h5
done
# Nothing was written, not even half.
ls
