/* cmd_report.c - gradtrace report: everything about a run and its clipping, on one page.
 *
 * Everything is found first and written afterwards, in one pass, into one file that needs nothing
 * else. Without -p the policies are the run's own limit (or the one that spill would advise),
 * aggc-paper and none.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "output.h"
#include "report.h"
#include "stage.h"

enum { OPT_TSV = 0x200, OPT_TITLE };

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct report_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->common;
        state->child_inputs[2] = &o->trace;
        return 0;
    case 'o':
        o->output = word;
        return 0;
    case OPT_TSV:
        if (strcmp(word, "-") == 0)
            argp_error(state, "--tsv -: must be a folder; there are several tables");
        o->tsv = word;
        return 0;
    case OPT_TITLE:
        o->title = word;
        return 0;
    case ARGP_KEY_END:
        if (o->output == NULL)
            argp_error(state, "name the page with -o FILE.html");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "FILE|-", 0, "The page: one HTML file that needs nothing else", 1 },
    { "title", OPT_TITLE, "TEXT", 0, "Its title.  Default: the trace's name", 1 },
    { "tsv", OPT_TSV, "FOLDER", 0,
      "Also write the tables behind it, with every number in full, as tab-separated text", 1 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 2 },
                                              { &cli_common_argp, 0, NULL, 3 },
                                              { &cli_trace_argp, 0, NULL, 0 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE [-p POLICY ...] -o FILE.html",
    .doc = "One page about a recorded run and its clipping, for people who have never seen "
           "gradtrace: what was recorded, whether the clip engages, who makes the norm explode and "
           "who pays, what reaches the optimizer, what to try next.  Without -p: the run's own "
           "limit (or a fitting one), aggc-paper and none.",
    .children = children,
};

/* --- the tables' folder ---------------------------------------------------------------------- */

static bool is_table(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".tsv") == 0;
}

/* Told before the work, as far as it can be known: which tables there will be depends on it. */
static enum gtr_code check_folder(const struct report_options *o, struct gtr_err *err)
{
    const struct dirent *entry;
    enum gtr_code rc = GTR_OK;
    DIR *folder;

    if (o->tsv == NULL)
        return GTR_OK;
    if (mkdir(o->tsv, 0777) != 0 && errno != EEXIST)
        return gtr_fail(err, GTR_EIO, "%s: cannot make this folder: %s", o->tsv, strerror(errno));
    folder = opendir(o->tsv);
    if (folder == NULL)
        return gtr_fail(err, GTR_EIO, "%s: cannot read this folder: %s", o->tsv, strerror(errno));
    while (rc == GTR_OK && !o->common.force && (entry = readdir(folder)) != NULL)
        if (is_table(entry->d_name))
            rc = gtr_fail(err, GTR_EIO,
                          "%s/%s: exists already; pass --force (force=True) to replace it", o->tsv,
                          entry->d_name);
    closedir(folder);
    return rc;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int only_tables(const struct dirent *entry)
{
    return is_table(entry->d_name);
}

static enum gtr_code publish_tables(const struct report_options *o, const char *stage,
                                    struct gtr_err *err)
{
    struct dirent **entries = NULL;
    enum gtr_code rc = GTR_OK;
    int n, i;

    if (o->tsv == NULL)
        return GTR_OK;
    n = scandir(stage, &entries, only_tables, by_name);
    if (n < 0)
        return gtr_fail(err, GTR_EIO, "%s: cannot read this folder: %s", stage, strerror(errno));
    for (i = 0; i < n; i++) {
        if (rc == GTR_OK)
            rc = stage_move(stage, entries[i]->d_name, o->tsv, o->common.force, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

/* --- the run --------------------------------------------------------------------------------- */

/* Pictures and tables are made in a hidden folder: in that of the tables, so that they can be moved
 * into it, or in the one for temporary files. */
static enum gtr_code make_page(const struct report_found *found, struct output *page,
                               struct gtr_err *err)
{
    const struct report_options *o = found->options;
    const char *parent = getenv("TMPDIR"), *no_figures = NULL;
    char *stage = NULL;
    enum gtr_code rc;

    if (o->tsv != NULL)
        parent = o->tsv;
    rc = stage_open(parent != NULL && *parent != '\0' ? parent : "/tmp", &stage, err);
    if (rc == GTR_OK)
        rc = report_draw(found, stage, &no_figures, err);
    if (rc == GTR_OK && no_figures != NULL)
        cli_note(&o->common, "the page has no figures, or not all: %s",
                 strstr(no_figures, "not found") != NULL
                     ? "gnuplot was not found; install gnuplot 5.4 or later (Debian: apt install "
                       "gnuplot-nox)"
                     : "gnuplot failed");
    if (rc == GTR_OK)
        rc = report_page(page->f, found, stage, no_figures, err);
    if (rc == GTR_OK)
        rc = publish_tables(o, stage, err);
    if (rc == GTR_OK)
        rc = output_close(page, err);
    stage_close(stage);
    return rc;
}

int cmd_report(int argc, char **argv)
{
    struct report_options o = { 0 };
    struct report_found found = { 0 };
    struct output page = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    rc = check_folder(&o, &err);
    if (rc == GTR_OK)
        rc = output_open(&page, o.output, o.common.force, &err);
    if (rc == GTR_OK)
        rc = report_found_make(&found, &o, &err);
    if (rc == GTR_OK)
        rc = make_page(&found, &page, &err);
    output_abandon(&page);
    report_found_free(&found);
    gtr_free(o.replay.policies.text);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&o.common, &err);
}
