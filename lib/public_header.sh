#!/bin/sh
# public_header.sh - gradtrace.h or gradtrace_lab.h as one file, as it is installed.
#
#     lib/public_header.sh gradtrace.h >build/include/gradtrace.h
#
# Puts the headers of the rooms that it includes one after the other, each once and after those that
# it needs itself, under a list of them.  Of each there is its opening comment and what stands
# between GTR_PUBLIC_BEGIN and GTR_PUBLIC_END; a header without these is for the library alone.
cd "$(dirname "$0")" || exit 1
awk -v top="$1" '
function read(name,    line, words, systems, guarded, public, offers, opening)
{
    if (seen[name]++)
        return
    while ((getline line <place[name]) > 0) {
        split(line, words, "\"")
        if (line ~ /^#include "/)
            read(words[2])
        else if (line ~ /^#include </)
            systems = systems line "\n"
        else if (line == "GTR_PUBLIC_BEGIN")
            public = offers = 1
        else if (line == "GTR_PUBLIC_END")
            public = 0
        else if (line ~ /^#ifndef /)
            guarded = 1
        else if (public || !guarded)
            text[name] = text[name] line "\n"
    }
    if (offers) {
        opening = text[name]
        sub(/ ?[*]?[/]?\n.*/, "", opening)
        contents = contents " *    " substr(opening, 3) "\n"
        parts = parts "\n" text[name]
        includes = includes systems
    }
}

BEGIN {
    while (("ls *.h */*.h" | getline path) > 0) {
        n = split(path, words, "/")
        place[words[n]] = path
    }
    if (top != "gradtrace.h") {
        read("gradtrace.h")
        contents = parts = ""
        includes = "#include \"gradtrace.h\"\n"
    }
    read(top)
    guard = toupper(top)
    sub(/[.]/, "_", guard)
    sub(/ [*]\/\n$/, "", text[top])
    print text[top] " *\n * The parts:\n *\n" contents " */"
    print "#ifndef " guard "\n#define " guard "\n"
    n = split(includes, words, "\n")
    for (i = 1; i <= n; i++)
        if (!told[words[i]]++)
            print words[i]
    print "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n" parts
    print "#ifdef __cplusplus\n}\n#endif\n\n#endif"
}' | cat -s
