# commands_that_are_none.sh - no command, a misspelt one, one that is like nothing.
. "$TESTS/cli/try.bash"

try
try replya run.h5
try xylophone
try --bogus
try Replay
try info --bogus
