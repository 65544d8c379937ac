/* cmd_diff.c - gradtrace diff: do two runs differ, and where do two policies.
 *
 * Which of the two is asked shows in what is named: two traces, or two windows of one, are samples
 * of noisy series and are compared by a test; one trace and two policies saw the same gradients,
 * so that every difference is exact and none is tested.
 */
#include "cli.h"

#include <string.h>

#include "diff_found.h"

enum { OPT_WINDOW = 0x200 };

/* Two policies on one trace, or two traces (or windows of one)? */
static bool of_policies(const struct diff_options *o)
{
    return o->n_traces == 1 && o->n_windows < 2;
}

/* Words after "--", which are B's; argp puts all words behind it.  -1: there is none. */
static int count_after_dashes(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return argc - i - 1;
    return -1;
}

static void take_window(const struct argp_state *state, struct diff_options *o, const char *word)
{
    const char *colon = strchr(word, ':');
    struct diff_window *window = &o->window[o->n_windows];
    char first[32] = "";

    if (o->n_windows == 2)
        argp_error(state, "--window %s: two are enough, one for each side", word);
    if (colon != NULL && (size_t)(colon - word) < sizeof first) {
        memcpy(first, word, (size_t)(colon - word));
        first[colon - word] = '\0';
    }
    if (!gtr_text_integer(first, &window->first) || !gtr_text_integer(colon + 1, &window->last))
        argp_error(state, "--window %s: must be FIRST:LAST, two step numbers", word);
    if (window->first > window->last)
        argp_error(state, "--window %s: ends before it starts", word);
    o->n_windows++;
}

static void take_trace(const struct argp_state *state, struct diff_options *o, const char *word)
{
    if (o->n_b >= 0 && word[0] == '-')
        argp_error(state, "%s: behind -- there are names of traces only; options go before it",
                   word);
    if (o->n_traces == 2 && o->n_b < 0)
        argp_error(state,
                   "%s: one trace a side, %s and %s were named already; several: A1 A2 -- B1 B2",
                   word, o->trace[0], o->trace[1]);
    o->trace[o->n_traces++] = word;
}

static void check(const struct argp_state *state, struct diff_options *o)
{
    int n_a = (int)o->n_traces - o->n_b;

    if (o->n_traces == 0)
        argp_error(state, "name a trace");
    if (o->n_b >= 0 && (n_a < 1 || o->n_b < 1))
        argp_error(state, "name traces on both sides of --");
    if (o->n_traces > 2 && (n_a < 2 || o->n_b < 2))
        argp_error(state, "%d and %d traces: name at least two on each side of --", n_a, o->n_b);
    if (of_policies(o) && o->replay.policies.n != 2)
        argp_error(state,
                   "%s: name a second trace, or two policies with -p, or two parts of this "
                   "trace with --window",
                   o->trace[0]);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct diff_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->forms;
        state->child_inputs[2] = &o->baseline;
        state->child_inputs[3] = &o->common;
        return 0;
    case OPT_WINDOW:
        take_window(state, o, word);
        return 0;
    case ARGP_KEY_ARG:
        take_trace(state, o, word);
        return 0;
    case ARGP_KEY_END:
        check(state, o);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "window", OPT_WINDOW, "FIRST:LAST", 0,
      "Steps to compare, by the run's own numbers, both included.  Given twice: those of A and "
      "those of B; with one trace, two parts of it.  Default: the steps that both traces span",
      1 },
    { 0 },
};

/* Exits with a usage error; fails for want of memory. */
static enum gtr_code parse_options(struct diff_options *o, int argc, char **argv,
                                   struct gtr_err *err)
{
    static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 4 },
                                                  { &forms_argp, 0, NULL, 2 },
                                                  { &cli_baseline_argp, 0, "Spikes:", 3 },
                                                  { &cli_common_argp, 0, NULL, 5 },
                                                  { 0 } };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "A B [-p POLICY ...]\n[-p POLICY ...] A1 A2 ... -- B1 B2 ...\nTRACE -p POLICY "
                    "-p POLICY\n"
                    "TRACE --window FIRST:LAST --window FIRST:LAST",
        .doc = "Do two runs differ, or is it noise?  Do two settings, of each of which there are "
               "several runs?  And at which steps do two policies differ on the same run?",
        .children = children,
    };

    enum gtr_code rc;

    memset(o, 0, sizeof *o);
    gtr_objectives_baseline_init(&o->baseline);
    rc = gtr_alloc_for(&o->trace, (size_t)argc, sizeof *o->trace, "words", err);
    o->n_b = count_after_dashes(argc, argv);
    if (rc == GTR_OK)
        argp_parse(&argp, argc, argv, 0, NULL, o);
    return rc;
}

static enum gtr_code diff_traces(struct diff_options *o, struct gtr_err *err)
{
    struct forms *forms = &o->forms;
    struct diff_found found;
    enum gtr_code rc = diff_found_make(&found, o, err);

    if (rc == GTR_OK)
        rc = forms_write_tsv(forms, diff_group_rows, &found, err);
    if (rc == GTR_OK && forms->json.f != NULL)
        rc = diff_json(forms->json.f, &found, err);
    if (rc == GTR_OK && forms->told)
        diff_report(stdout, &found);
    diff_found_free(&found);
    return rc;
}

static enum gtr_code diff_settings(struct diff_options *o, struct gtr_err *err)
{
    struct forms *forms = &o->forms;
    struct diff_policies found;
    enum gtr_code rc = diff_policies_make(&found, o, err);

    if (rc == GTR_OK)
        rc = forms_write_tsv(forms, diff_policies_rows, &found, err);
    if (rc == GTR_OK && forms->json.f != NULL)
        rc = diff_policies_json(forms->json.f, &found, err);
    if (rc == GTR_OK && forms->told)
        diff_policies_report(stdout, &found);
    diff_policies_free(&found);
    return rc;
}

int cmd_diff(int argc, char **argv)
{
    struct diff_options o;
    struct gtr_err err = { 0 };
    enum gtr_code rc = parse_options(&o, argc, argv, &err);

    if (rc == GTR_OK)
        rc = forms_open(&o.forms, o.common.force, &err);
    if (rc == GTR_OK)
        rc = (of_policies(&o) ? diff_settings : diff_traces)(&o, &err);
    if (rc == GTR_OK)
        rc = forms_close(&o.forms, &err);
    if (rc == GTR_OK && o.replay.policies.n > 0)
        fprintf(o.forms.told ? stdout : stderr, "%s\n", study_open_loop);
    forms_abandon(&o.forms);
    gtr_free(o.trace);
    gtr_free(o.replay.policies.text);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&o.common, &err);
}
