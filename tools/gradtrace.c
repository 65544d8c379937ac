/* gradtrace.c - the program: a table of commands, and how to find one.
 *
 * A word that is no command gets the nearest one.  The program asks the library to let a child
 * process look at each file first: traces come from strangers, and HDF5 does not survive every
 * file.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ranks.h"

static const struct command commands[] = {
    { "record", "run a training script as it is, and record its gradients", cmd_record },
    { "info", "what a trace holds, how it is grouped, which policies there are", cmd_info },
    { "replay", "what clipping policies would have done with a recorded run", cmd_replay },
    { "sweep", "many settings at once, and ranges to use", cmd_sweep },
    { "update", "what of a policy reaches the optimizer, by simulating it", cmd_update },
    { "spill", "who makes the norm explode, and who pays for it", cmd_spill },
    { "doctor", "what is wrong with a run or a setting, and what to try", cmd_doctor },
    { "explain", "one step in plain words: what happened, and what each policy did", cmd_explain },
    { "diff", "do two runs differ, and where do two policies", cmd_diff },
    { "report", "everything about a run on one page, to show to others", cmd_report },
    { "plot", "figures of norms, intervals and scales", cmd_plot },
    { "import", "make a trace from a CSV, TSV or JSON-lines log", cmd_import },
    { "export", "write a trace's norms as CSV, TSV or JSON lines", cmd_export },
    { "merge", "segments and ranks into one trace", cmd_merge },
    { "verify", "is all of a trace there, and as it was written", cmd_verify },
    { "recover", "copy what is right of a damaged trace to a new one", cmd_recover },
    { "simulate", "make a synthetic trace of which the truth is known", cmd_simulate },
};

/* argp finds it by name, so it must be visible whatever -fvisibility says. */
__attribute__((visibility("default"))) const char *argp_program_version = "gradtrace " GTR_VERSION;

static char *list_commands(void)
{
    char *text = NULL;
    size_t size = 0, i;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        return NULL;
    fputs("Commands:\n", f);
    for (i = 0; i < GTR_ARRAY_LEN(commands); i++)
        fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`gradtrace COMMAND --help` tells the rest.", f);
    fclose(f);
    return text;
}

/* argp asks for the text after the options; the list of commands is made from the table. */
static char *filter_help(int key, const char *text, void *input)
{
    (void)input;
    return key == ARGP_KEY_HELP_POST_DOC ? list_commands() : (char *)text;
}

static void unknown_command(const struct argp_state *state, const char *word)
{
    const char *names[GTR_ARRAY_LEN(commands)], *nearest;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(commands); i++)
        names[i] = commands[i].name;
    nearest = gtr_text_nearest(word, names, GTR_ARRAY_LEN(commands));
    if (nearest != NULL)
        argp_error(state, "%s: no such command; did you mean %s?", word, nearest);
    else
        argp_error(state, "%s: no such command", word);
}

struct chosen {
    const struct command *command;
    int at; /* its place in argv */
};

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct chosen *chosen = state->input;
    size_t i;

    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "name a command");
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    for (i = 0; i < GTR_ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, word) == 0)
            chosen->command = &commands[i];
    if (chosen->command == NULL)
        unknown_command(state, word);
    /* The rest belongs to the command: stop here. */
    chosen->at = state->next - 1;
    state->next = state->argc;
    return 0;
}

/* The others are run by rank 0 alone: see ranks.h. */
static bool shares_its_work(const struct command *command)
{
    return command->run == cmd_sweep || command->run == cmd_update;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "COMMAND ...",
        .doc = "Record the gradients of a training run once, then ask every clipping question "
               "offline.\v",
        .help_filter = filter_help,
    };
    static char program[] = "gradtrace"; /* errors name it so, however it was called */
    struct chosen chosen = { NULL, 0 };
    int status = EXIT_DONE;
    char name[64];

    ranks_start(&argc, &argv);
    argp_err_exit_status = EXIT_USAGE;
    if (argc > 0)
        argv[0] = program;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &chosen);
    if (chosen.command == NULL)
        return EXIT_USAGE;
    snprintf(name, sizeof name, "gradtrace %s", chosen.command->name);
    argv[chosen.at] = name;
    gtr_trace_try_files(true);
    if (ranks_rank() == 0 || shares_its_work(chosen.command))
        status = chosen.command->run(argc - chosen.at, argv + chosen.at);
    ranks_end(status);
    return status;
}
