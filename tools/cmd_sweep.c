/* cmd_sweep.c - gradtrace sweep: many settings over one trace, and a recommendation. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "progress.h"
#include "study.h"
#include "sweep_draw.h"
#include "sweep_options.h"
#include "sweep_report.h"

enum { BLOCK_SETTINGS = 4096 }; /* between two entries of the journal */

/* Everything that a sweep works with. */
struct sweep {
    struct sweep_options options;
    struct study study;
    struct gtr_baseline *baseline;
    struct gtr_plan *plan;
    struct gtr_sweep_about about;
    double *rows; /* [about.count][GTR_OBJECTIVE_COUNT] */
    size_t n_done;
    bool stopped;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* Ctrl-C ends the sweep after the block at hand; a second one ends the program. */
static void catch_interrupt(void)
{
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* --- making ready -------------------------------------------------------------------------------
 */

static enum gtr_code make_plan(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    const struct gtr_plan_options plan = { .policies = o->replay.policies,
                                           .n_policies = o->replay.n_policies,
                                           .axes = o->axes,
                                           .n_axes = o->n_axes,
                                           .constraints = o->constraints.text,
                                           .n_constraints = o->constraints.n,
                                           .sampling = o->sampling,
                                           .n_samples = o->n_samples,
                                           .seed = o->seed };

    return gtr_plan_new(&plan, sweep->study.replay, &sweep->plan, err);
}

/* Told before the work, not after it. */
static enum gtr_code check_output(const struct sweep_options *o, struct gtr_err *err)
{
    struct gtr_outfile file;
    enum gtr_code rc;

    if (o->output == NULL)
        return GTR_OK;
    rc = gtr_outfile_begin(&file, o->output, o->common.force, err);
    if (rc == GTR_OK)
        gtr_outfile_abandon(&file);
    return rc;
}

/* The part of the settings that this run is for. */
static void take_shard(struct sweep *sweep)
{
    uint64_t n = sweep->about.n_settings, parts = sweep->options.n_shards;
    uint64_t part = sweep->options.shard;

    sweep->about.first = n / parts * part + (part < n % parts ? part : n % parts);
    sweep->about.count = n / parts + (part < n % parts ? 1 : 0);
}

static enum gtr_code open_sweep(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    enum gtr_code rc;

    rc = check_output(o, err);
    if (rc == GTR_OK)
        rc = sweep_found_check(o, err);
    if (rc == GTR_OK)
        rc = study_open(&sweep->study, o->trace, &o->common, &o->replay, err);
    if (rc == GTR_OK)
        rc = gtr_baseline_new(sweep->study.series, gtr_replay_skip(sweep->study.replay),
                              &o->baseline, &sweep->baseline, err);
    if (rc == GTR_OK)
        rc = make_plan(sweep, err);
    if (rc == GTR_OK)
        rc = gtr_sweep_about_fill(&sweep->about, o->trace, sweep->study.groups->rule,
                                  sweep->study.replay, sweep->baseline, sweep->plan, o->scales_only,
                                  err);
    if (rc != GTR_OK)
        return rc;
    take_shard(sweep);
    return gtr_alloc_for(&sweep->rows, sweep->about.count * GTR_OBJECTIVE_COUNT,
                         sizeof *sweep->rows, "objectives", err);
}

static void close_sweep(struct sweep *sweep)
{
    gtr_free(sweep->rows);
    gtr_sweep_about_free(&sweep->about);
    gtr_plan_free(sweep->plan);
    gtr_baseline_free(sweep->baseline);
    study_close(&sweep->study);
    sweep_options_free(&sweep->options);
}

/* --- running -------------------------------------------------------------------------------------
 */

struct watch {
    struct progress *progress;
    size_t before; /* settings done in earlier blocks */
};

static int on_progress(void *context, size_t done, size_t total)
{
    struct watch *watch = context;

    (void)total;
    progress_show(watch->progress, watch->before + done);
    return interrupted;
}

static enum gtr_code run_blocks(struct sweep *sweep, struct gtr_sweep_journal *journal,
                                struct progress *progress, struct gtr_err *err)
{
    struct watch watch = { .progress = progress };
    const struct gtr_sweep_options options = { .n_threads = sweep->options.common.n_threads,
                                               .scales_only = sweep->options.scales_only,
                                               .progress = on_progress,
                                               .context = &watch };
    enum gtr_code rc = GTR_OK;

    while (rc == GTR_OK && sweep->n_done < sweep->about.count && !interrupted) {
        double *rows = sweep->rows + sweep->n_done * GTR_OBJECTIVE_COUNT;
        size_t n = sweep->about.count - sweep->n_done, done = 0;

        n = n < BLOCK_SETTINGS ? n : BLOCK_SETTINGS;
        watch.before = sweep->n_done;
        rc = gtr_sweep_run(sweep->study.replay, sweep->baseline, sweep->plan,
                           sweep->about.first + sweep->n_done, n, &options, rows, &done, err);
        if (rc == GTR_OK && journal != NULL && done > 0)
            rc = gtr_sweep_journal_append(journal, rows, done, err);
        sweep->n_done += done;
    }
    sweep->stopped = sweep->n_done < sweep->about.count;
    return rc;
}

static enum gtr_code run_sweep(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    struct gtr_sweep_journal *journal = NULL;
    struct progress progress;
    enum gtr_code rc = GTR_OK;

    if (o->output != NULL)
        rc = gtr_sweep_journal_open(o->output, &sweep->about, &journal, sweep->rows, &sweep->n_done,
                                    err);
    if (rc != GTR_OK)
        return rc;
    if (sweep->n_done > 0)
        cli_note(&o->common, "%zu of %llu settings were done before; going on from there",
                 sweep->n_done, (unsigned long long)sweep->about.count);
    catch_interrupt();
    progress_start(&progress, o->common.command, "settings", sweep->about.count, sweep->n_done);
    rc = run_blocks(sweep, journal, &progress, err);
    progress_end(&progress);
    if (rc == GTR_OK && o->output != NULL && !sweep->stopped)
        rc = gtr_sweep_write(o->output, o->common.force, &sweep->about, sweep->plan, sweep->rows,
                             err);
    gtr_sweep_journal_close(journal, rc == GTR_OK && !sweep->stopped);
    return rc;
}

/* --- joining -------------------------------------------------------------------------------------
 */

static enum gtr_code place_part(struct sweep *sweep, const char *path, bool *have,
                                struct gtr_err *err)
{
    struct gtr_sweep_about part;
    double *rows;
    enum gtr_code rc = gtr_sweep_read(path, &part, &rows, err);
    size_t i;

    if (rc != GTR_OK)
        return rc;
    if (strcmp(part.plan, sweep->about.plan) != 0 ||
        strcmp(part.context, sweep->about.context) != 0 ||
        strcmp(part.group_by, sweep->about.group_by) != 0 ||
        part.n_settings != sweep->about.n_settings || part.count > part.n_settings - part.first)
        rc = gtr_fail(err, GTR_EUSAGE,
                      "%s: is a part of another sweep; join with the options that it was run with",
                      path);
    for (i = 0; rc == GTR_OK && i < part.count; i++)
        have[part.first + i] = true;
    if (rc == GTR_OK)
        memcpy(sweep->rows + part.first * GTR_OBJECTIVE_COUNT, rows,
               part.count * GTR_OBJECTIVE_COUNT * sizeof *rows);
    gtr_sweep_about_free(&part);
    gtr_free(rows);
    return rc;
}

static enum gtr_code join_parts(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    bool *have;
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&have, sweep->about.count, sizeof *have, "settings", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; rc == GTR_OK && i < o->parts.n; i++)
        rc = place_part(sweep, o->parts.text[i], have, err);
    for (i = 0; rc == GTR_OK && i < sweep->about.count; i++)
        if (!have[i])
            rc = gtr_fail(err, GTR_EUSAGE, "setting %zu is in none of the parts; join all of them",
                          i);
    gtr_free(have);
    sweep->n_done = sweep->about.count;
    if (rc == GTR_OK)
        rc = gtr_sweep_write(o->output, o->common.force, &sweep->about, sweep->plan, sweep->rows,
                             err);
    return rc;
}

/* --- telling -------------------------------------------------------------------------------------
 */

static enum gtr_code draw(const struct sweep_options *o, const struct sweep_results *results,
                          const struct sweep_found *found, struct gtr_err *err)
{
    struct sweep_drawing drawing = { .look = { .formats = o->formats }, .folder = o->figures };
    size_t i;

    if (o->figures == NULL && !o->term)
        return GTR_OK;
    if (o->term)
        figure_look_terminal(&drawing.look);
    for (i = 0; i < N_SWEEP_FIGURES; i++)
        drawing.wanted[i] = true;
    return sweep_draw(&drawing, o, results, found, err);
}

/* The report, and the figures if any are wanted. */
static enum gtr_code tell_people(const struct sweep_options *o, const struct sweep_results *results,
                                 struct gtr_err *err)
{
    struct sweep_found found;
    enum gtr_code rc = sweep_found_make(&found, o, results, err);

    if (rc == GTR_OK)
        rc = sweep_report(stdout, o, results, &found, err);
    if (rc == GTR_OK)
        rc = draw(o, results, &found, err);
    sweep_found_free(&found);
    return rc;
}

static enum gtr_code tell(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    const struct sweep_results results = { .study = &sweep->study,
                                           .plan = sweep->plan,
                                           .baseline = sweep->baseline,
                                           .first = sweep->about.first,
                                           .n = sweep->n_done,
                                           .rows = sweep->rows };
    struct output tsv;
    enum gtr_code rc = output_open(&tsv, o->tsv, o->common.force, err);

    if (rc == GTR_OK && tsv.f != NULL)
        sweep_tsv(tsv.f, &results);
    if (rc == GTR_OK && tsv.f != stdout)
        rc = tell_people(o, &results, err);
    if (rc == GTR_OK)
        rc = output_close(&tsv, err);
    if (rc == GTR_OK && fflush(stdout) != 0)
        rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
    output_abandon(&tsv);
    return rc;
}

int cmd_sweep(int argc, char **argv)
{
    struct sweep sweep = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    int status;

    sweep_options_parse(&sweep.options, argc, argv);
    rc = open_sweep(&sweep, &err);
    if (rc == GTR_OK)
        rc = sweep.options.parts.n > 0 ? join_parts(&sweep, &err) : run_sweep(&sweep, &err);
    if (rc == GTR_OK && sweep.stopped)
        cli_note(&sweep.options.common, "stopped: %zu of %llu settings done%s", sweep.n_done,
                 (unsigned long long)sweep.about.count,
                 sweep.options.output != NULL ? "; the same command goes on from there" : "");
    if (rc == GTR_OK && sweep.n_done > 0)
        rc = tell(&sweep, &err);
    status = rc != GTR_OK    ? cli_fail(&sweep.options.common, &err)
             : sweep.stopped ? EXIT_FAILED
                             : EXIT_DONE;
    close_sweep(&sweep);
    return status;
}
