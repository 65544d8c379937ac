/* cli.c - common options and messages.
 *
 * A wrong option ends the program before anything is read; the same option has the same words,
 * default and range in every command, because it is written here.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell.h"

enum {
    OPT_FORCE = 0x100,
    OPT_THREADS,
    OPT_VERBOSE,
    OPT_GROUP_BY,
    OPT_TOTAL_STEPS,
    OPT_NONFINITE,
    OPT_DEVICE,
    OPT_KAPPA,
    OPT_DECAY
};

int cli_fail(const struct cli_common *common, const struct gtr_err *err)
{
    fprintf(stderr, "%s: ", common->command);
    tell_text(stderr, err->text);
    fputc('\n', stderr);
    if (common->verbose && err->file != NULL)
        fprintf(stderr, "%s: at %s:%d\n", common->command, err->file, err->line);
    return err->code == GTR_EUSAGE ? EXIT_USAGE : EXIT_FAILED;
}

void cli_note(const struct cli_common *common, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    if (common->quiet)
        return;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    fprintf(stderr, "%s: ", common->command);
    tell_text(stderr, text != NULL ? text : "(no memory)");
    fputc('\n', stderr);
    free(text);
}

void cli_remark(void *context, const char *path, bool fault, const char *text)
{
    (void)fault;
    cli_note(context, "%s: %s", path, text);
}

int64_t cli_integer(const struct argp_state *state, const char *option, const char *text,
                    int64_t min, int64_t max)
{
    int64_t value;

    if (!gtr_text_integer(text, &value))
        argp_error(state, "%s %s: is not a whole number", option, text);
    if (value < min || value > max) {
        if (max == INT64_MAX)
            argp_error(state, "%s %s: must be at least %lld", option, text, (long long)min);
        else
            argp_error(state, "%s %s: must be from %lld to %lld", option, text, (long long)min,
                       (long long)max);
    }
    return value;
}

double cli_number(const struct argp_state *state, const char *option, const char *text, double min,
                  double max)
{
    double value;

    if (!gtr_text_number(text, &value) || !(value >= min && value <= max))
        argp_error(state, "%s %s: must be a number from %g to %g", option, text, min, max);
    return value;
}

void cli_take_path(const struct argp_state *state, const char **path, const char *word,
                   const char *kind)
{
    if (*path != NULL)
        argp_error(state, "%s: one %s at a time; %s was named already", word, kind, *path);
    *path = word;
}

enum gtr_code cli_words_add(struct cli_words *words, const char *text, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_grow(&words->text, &words->capacity, words->n + 1, sizeof *words->text, err);

    if (rc == GTR_OK)
        words->text[words->n++] = text;
    return rc;
}

void cli_add_word(struct cli_words *words, const struct argp_state *state, const char *text)
{
    struct gtr_err err = { 0 };

    if (cli_words_add(words, text, &err) != GTR_OK)
        argp_failure(state, EXIT_FAILED, 0, "%s", err.text);
}

size_t cli_choice(const struct argp_state *state, const char *option, const char *word,
                  const char *const *words, size_t n_words)
{
    const char *nearest;
    char list[256] = "";
    size_t i;

    for (i = 0; i < n_words; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    for (i = 0; i < n_words; i++) {
        size_t used = strlen(list);

        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    nearest = gtr_text_nearest(word, words, n_words);
    if (nearest != NULL)
        argp_error(state, "%s %s: must be one of %s; did you mean %s?", option, word, list,
                   nearest);
    else
        argp_error(state, "%s %s: must be one of %s", option, word, list);
    return 0; /* argp_error does not return */
}

size_t cli_next_choice(const struct argp_state *state, const char *option, const char *list,
                       const char **rest, const char *const *words, size_t n_words)
{
    size_t n = strcspn(*rest, ",");
    char word[32];

    if (n == 0 || n >= sizeof word)
        argp_error(state, "%s %s: is not a list of names, as in a,b,c", option, list);
    snprintf(word, sizeof word, "%.*s", (int)n, *rest);
    *rest = (*rest)[n] == ',' ? *rest + n + 1 : NULL;
    return cli_choice(state, option, word, words, n_words);
}

static error_t parse_common(int key, char *word, struct argp_state *state)
{
    struct cli_common *common = state->input;

    switch (key) {
    case ARGP_KEY_SUCCESS: /* not INIT: argp finds the name only after that */
        common->command = state->name;
        return 0;
    case OPT_FORCE:
        common->force = true;
        return 0;
    case OPT_THREADS:
        common->n_threads = (size_t)cli_integer(state, "--threads", word, 0, 256);
        return 0;
    case OPT_VERBOSE:
        common->verbose = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option common_options[] = {
    { "force", OPT_FORCE, NULL, 0, "Replace existing output files", 90 },
    { "threads", OPT_THREADS, "N", 0, "Threads to use; 0 (the default): all processors", 90 },
    { "verbose", OPT_VERBOSE, NULL, 0, "With an error, say where in the library it arose", 90 },
    { 0 },
};
const struct argp cli_common_argp = { .options = common_options, .parser = parse_common };

static error_t parse_trace(int key, char *word, struct argp_state *state)
{
    const char **trace = state->input;

    if (key == ARGP_KEY_ARG)
        cli_take_path(state, trace, word, "trace");
    else if (key != ARGP_KEY_END)
        return ARGP_ERR_UNKNOWN;
    else if (*trace == NULL)
        argp_error(state, "name a trace");
    return 0;
}
const struct argp cli_trace_argp = { .parser = parse_trace };

static error_t parse_replay(int key, char *word, struct argp_state *state)
{
    static const char *const rules[] = { "skip", "propagate" };
    struct cli_replay *replay = state->input;

    switch (key) {
    case 'p':
        cli_add_word(&replay->policies, state, word);
        return 0;
    case OPT_GROUP_BY:
        replay->group_by = word;
        return 0;
    case OPT_TOTAL_STEPS:
        replay->options.total_steps = cli_integer(state, "--total-steps", word, 0, INT64_MAX);
        if (replay->options.total_steps == 0)
            replay->options.total_steps = -1; /* 0 in the library means "as the trace says" */
        return 0;
    case OPT_NONFINITE:
        replay->options.nonfinite =
            (enum gtr_nonfinite_rule)cli_choice(state, "--nonfinite", word, rules, 2);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option replay_options[] = {
    { "policy", 'p', "NAME[:KEY=VALUE,...]", 0,
      "A policy or preset and its parameters; give one -p for each to compare.  `gradtrace info "
      "--policies` lists them",
      10 },
    { "group-by", OPT_GROUP_BY, "RULE", 0,
      "How tensors are grouped: module (the default), layer, layer.module, tensor, all, lora-ab, "
      "aggc, or file:PATH with lines GLOB<tab>GROUP",
      10 },
    { "total-steps", OPT_TOTAL_STEPS, "N", 0,
      "Planned length of the run, for schedules; 0: none.  Default: what the trace says", 10 },
    { "nonfinite", OPT_NONFINITE, "skip|propagate", 0,
      "Steps with NaN or infinite gradients: left out by every policy (the default), or let "
      "through",
      10 },
    { 0 },
};
const struct argp cli_replay_argp = { .options = replay_options, .parser = parse_replay };

static error_t parse_baseline(int key, char *word, struct argp_state *state)
{
    struct gtr_baseline_options *baseline = state->input;

    switch (key) {
    case OPT_KAPPA:
        baseline->kappa = cli_number(state, "--kappa", word, 1.0, 1e6);
        return 0;
    case OPT_DECAY:
        baseline->decay = cli_number(state, "--decay", word, 0.0, 0.999999);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The commands have defaults of their own. */
static char *filter_baseline(int key, const char *text, void *input)
{
    const struct gtr_baseline_options *baseline = input;
    char *whole = NULL;

    if (baseline == NULL || (key != OPT_KAPPA && key != OPT_DECAY) ||
        asprintf(&whole, "%s  Default: %g", text,
                 key == OPT_KAPPA ? baseline->kappa : baseline->decay) < 0)
        return (char *)text;
    return whole;
}

static const struct argp_option baseline_options[] = {
    { "kappa", OPT_KAPPA, "X", 0,
      "A group is above its past if its norm is more than X times its running average.", 2 },
    { "decay", OPT_DECAY, "X", 0, "Of the running averages that norms are held against.", 2 },
    { 0 },
};
const struct argp cli_baseline_argp = { .options = baseline_options,
                                        .parser = parse_baseline,
                                        .help_filter = filter_baseline };

static error_t parse_device(int key, char *word, struct argp_state *state)
{
    if (key != OPT_DEVICE)
        return ARGP_ERR_UNKNOWN;
    if (gtr_device_parse(word, state->input, NULL) != GTR_OK)
        argp_error(state, "--device %s: must be auto, cpu, cuda or cuda:N", word);
    return 0;
}

static const struct argp_option device_options[] = {
    { "device", OPT_DEVICE, "auto|cpu|cuda[:N]", 0,
      "What does the work: the CPU, all GPUs or one.  Default: auto, GPUs if any answer and the "
      "work is worth it.  Results are the same to the bit",
      80 },
    { 0 },
};
const struct argp cli_device_argp = { .options = device_options, .parser = parse_device };

enum gtr_code cli_check_device(const struct gtr_device *asked, struct gtr_err *err)
{
    struct gtr_device chosen;

    return gtr_device_choose(asked, 0.0, &chosen, err);
}

void cli_note_device(const struct cli_common *common, const struct gtr_device *chosen)
{
    size_t first = chosen->number > 0 ? (size_t)chosen->number : 0, n = gtr_device_count();
    char name[256];

    if (chosen->kind != GTR_DEVICE_CUDA)
        return;
    gtr_device_name(first, name, sizeof name);
    if (chosen->number < 0 && n > 1)
        cli_note(common, "runs on %zu GPUs, the first %s", n, name);
    else
        cli_note(common, "runs on %s", name);
}
