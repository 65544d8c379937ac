# gradtrace.bash - completion of the command line for bash (and zsh, through bashcompinit).
#
# Commands, options, policies and the words that an option takes are asked of the program itself,
# so completion cannot fall behind it.

_gradtrace_commands() {
    "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

_gradtrace_options() {
    "$1" "$2" --help 2>/dev/null | sed -nE 's/^ {2,6}(-., )?(--[a-z][a-z-]*).*/\2/p'
}

# The words of an option whose help says --device=auto|cpu|cuda[:N].
_gradtrace_words() {
    "$1" "$2" --help 2>/dev/null | sed -nE "s/^ {2,6}(-., )?$3=([a-z0-9]+(\\|[a-z0-9]+)+).*/\\2/p" |
        tr '|' '\n'
}

_gradtrace_policies() {
    "$1" info --policies 2>/dev/null | grep -xE '[a-z][a-z0-9-]*'
}

_gradtrace() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} command= i words=
    local before=${COMP_WORDS[COMP_CWORD - 1]}

    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} != -* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done
    if [ -z "$command" ]; then
        words="$(_gradtrace_commands "$program") --help --version"
    elif [[ $before == -p || $before == --policy ]]; then
        words=$(_gradtrace_policies "$program")
    elif [[ $command == doctor && $before == --only ]]; then
        words=$("$program" doctor --list 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\): .*/\1/p')
    elif [[ $before == --[a-z]* ]] && words=$(_gradtrace_words "$program" "$command" "$before") &&
        [ -n "$words" ]; then
        :
    elif [[ $word == -* ]]; then
        words=$(_gradtrace_options "$program" "$command")
    fi
    COMPREPLY=()
    # Word by word: compgen -W alone would expand what is in them.
    for i in $words; do
        [[ $i == "$word"* ]] && COMPREPLY+=("$i")
    done
}

# "default": where nothing is offered, file names are.
complete -o default -F _gradtrace gradtrace
