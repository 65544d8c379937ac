/* cmd_sweep.c - gradtrace sweep: many settings over one trace, and a recommendation.
 *
 * Settings are run in blocks, each noted in a journal, so that a sweep that is stopped goes on
 * where it was; shards, ranks and parts that are joined give the same bytes as one process.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <signal.h>
#include <string.h>

#include "progress.h"
#include "ranks.h"
#include "sweep_found.h"

/* Settings between two entries of the journal: what a CPU, and a GPU, has done in seconds. */
enum { BLOCK_LEAST = 4096, BLOCK_MOST = 1 << 22 };
static const double GPU_DECISIONS = 5e11;

/* Everything that a sweep works with. */
struct sweep {
    struct sweep_options options;
    struct study study;
    struct gtr_baseline *baseline;
    struct gtr_plan *plan;
    struct gtr_sweep_about about;
    struct gtr_device device; /* chosen */
    double *rows;             /* [about.count][GTR_OBJECTIVE_COUNT] */
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

/* --- making ready ----------------------------------------------------------------------------- */

static enum gtr_code make_plan(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    const struct gtr_plan_options plan = { .policies = o->replay.policies.text,
                                           .n_policies = o->replay.policies.n,
                                           .axes = o->axes,
                                           .n_axes = o->n_axes,
                                           .constraints = o->constraints.text,
                                           .n_constraints = o->constraints.n,
                                           .sampling = o->sampling,
                                           .n_samples = o->n_samples,
                                           .seed = o->seed };

    return gtr_plan_new(&plan, sweep->study.replay, &sweep->plan, err);
}

/* The part of the settings that this run is for. */
static void take_shard(struct sweep *sweep)
{
    uint64_t n = sweep->about.n_settings, parts = sweep->options.n_shards;
    uint64_t part = sweep->options.shard;

    sweep->about.first = n / parts * part + (part < n % parts ? part : n % parts);
    sweep->about.count = n / parts + (part < n % parts ? 1 : 0);
}

static double decisions_each(const struct sweep *sweep)
{
    return (double)sweep->study.series->n_groups * (double)sweep->study.series->n_steps;
}

/* For the sweep as a whole: its blocks alone may look small. */
static enum gtr_code choose_device(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    enum gtr_code rc;

    rc = gtr_device_choose(&o->device, (double)sweep->about.count * decisions_each(sweep),
                           &sweep->device, err);
    if (rc == GTR_OK && o->parts.n == 0)
        cli_note_device(&o->common, &sweep->device);
    return rc;
}

static enum gtr_code open_sweep(struct sweep *sweep, struct gtr_err *err)
{
    struct sweep_options *o = &sweep->options;
    enum gtr_code rc;

    rc = cli_check_device(&o->device, err);
    if (rc == GTR_OK)
        rc = forms_check(&o->forms, o->common.force, err);
    if (rc == GTR_OK) /* told before the work, not after it */
        rc = output_check(o->output, o->common.force, err);
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
    rc = choose_device(sweep, err);
    if (rc != GTR_OK)
        return rc;
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
    forms_abandon(&sweep->options.forms);
    sweep_options_free(&sweep->options);
}

/* --- running ---------------------------------------------------------------------------------- */

struct watch {
    struct progress *progress;
    size_t before; /* settings done in earlier blocks */
};

static int on_progress(void *context, size_t done, size_t total)
{
    struct watch *watch = context;

    (void)total;
    progress_show(watch->progress, watch->before + done * (size_t)ranks_size());
    return interrupted;
}

/* Of each rank. */
static size_t block_size(const struct sweep *sweep)
{
    double n = GPU_DECISIONS / decisions_each(sweep);

    /* The same for all ranks. */
    if (!ranks_any(sweep->device.kind == GTR_DEVICE_CUDA) || !(n > (double)BLOCK_LEAST))
        return BLOCK_LEAST;
    return n < (double)BLOCK_MOST ? (size_t)n : BLOCK_MOST;
}

/* Each rank runs its part of a block; rank 0 keeps all of it. */
static enum gtr_code run_blocks(struct sweep *sweep, struct gtr_sweep_journal *journal,
                                struct progress *progress, struct gtr_err *err)
{
    struct watch watch = { .progress = progress };
    const struct gtr_sweep_options options = { .n_threads = sweep->options.common.n_threads,
                                               .scales_only = sweep->options.scales_only,
                                               .progress = on_progress,
                                               .context = &watch,
                                               .device = sweep->device };
    const size_t block = block_size(sweep);
    enum gtr_code rc = GTR_OK;

    while (rc == GTR_OK && sweep->n_done < sweep->about.count && !ranks_any(interrupted != 0)) {
        double *rows = sweep->rows + sweep->n_done * GTR_OBJECTIVE_COUNT;
        size_t n = sweep->about.count - sweep->n_done, first, mine, done = 0;

        n = n < block * (size_t)ranks_size() ? n : block * (size_t)ranks_size();
        ranks_part(n, &first, &mine);
        watch.before = sweep->n_done;
        rc = gtr_sweep_run(sweep->study.replay, sweep->baseline, sweep->plan,
                           sweep->about.first + sweep->n_done + first, mine, &options,
                           rows + first * GTR_OBJECTIVE_COUNT, &done, err);
        ranks_gather(rows, GTR_OBJECTIVE_COUNT, n, &done);
        if (rc == GTR_OK && journal != NULL && done > 0)
            rc = gtr_sweep_journal_append(journal, rows, done, err);
        rc = ranks_agree(rc, err);
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
    rc = ranks_agree(rc, err);
    if (rc != GTR_OK)
        goto out;
    ranks_tell(&sweep->n_done, sizeof sweep->n_done);
    if (sweep->n_done > 0)
        cli_note(&o->common, "%zu of %llu settings were done before; going on from there",
                 sweep->n_done, (unsigned long long)sweep->about.count);
    catch_interrupt();
    progress_start(&progress, o->common.command, "settings", sweep->about.count, sweep->n_done);
    rc = run_blocks(sweep, journal, &progress, err);
    progress_end(&progress);
    if (rc == GTR_OK && o->output != NULL && !sweep->stopped)
        rc = gtr_sweep_file_write(o->output, o->common.force, &sweep->about, sweep->plan,
                                  sweep->rows, err);
out:
    gtr_sweep_journal_close(journal, rc == GTR_OK && !sweep->stopped);
    return rc;
}

/* --- joining ---------------------------------------------------------------------------------- */

static enum gtr_code join_parts(struct sweep *sweep, struct gtr_err *err)
{
    const struct sweep_options *o = &sweep->options;
    bool *have;
    enum gtr_code rc = open_sweep(sweep, err);
    size_t i;

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&have, sweep->about.count, sizeof *have, "settings", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; rc == GTR_OK && i < o->parts.n; i++)
        rc = gtr_sweep_file_join(o->parts.text[i], &sweep->about, sweep->rows, have, err);
    for (i = 0; rc == GTR_OK && i < sweep->about.count; i++)
        if (!have[i])
            rc = gtr_fail(err, GTR_EUSAGE, "setting %zu is in none of the parts; join all of them",
                          i);
    gtr_free(have);
    sweep->n_done = sweep->about.count;
    if (rc == GTR_OK)
        rc = gtr_sweep_file_write(o->output, o->common.force, &sweep->about, sweep->plan,
                                  sweep->rows, err);
    return rc;
}

/* --- telling ---------------------------------------------------------------------------------- */

/* The report, and the figures if any are wanted. */
static enum gtr_code tell_people(const struct sweep_options *o, const struct sweep_results *results,
                                 struct gtr_err *err)
{
    struct sweep_found found;
    enum gtr_code rc = sweep_found_make(&found, o, results, err);

    if (rc == GTR_OK)
        rc = sweep_report(stdout, o, results, &found, err);
    if (rc == GTR_OK && figure_wanted(&o->figures))
        rc = sweep_draw(o, results, &found, err);
    sweep_found_free(&found);
    return rc;
}

static enum gtr_code tell(struct sweep *sweep, struct gtr_err *err)
{
    struct sweep_options *o = &sweep->options;
    const struct sweep_results results = { .study = &sweep->study,
                                           .plan = sweep->plan,
                                           .baseline = sweep->baseline,
                                           .first = sweep->about.first,
                                           .n = sweep->n_done,
                                           .rows = sweep->rows };
    enum gtr_code rc = forms_open(&o->forms, o->common.force, err);

    if (rc == GTR_OK)
        rc = forms_write(&o->forms, sweep_rows, &results, err);
    if (rc == GTR_OK && o->forms.told)
        rc = tell_people(o, &results, err);
    return rc == GTR_OK ? forms_close(&o->forms, err) : rc;
}

/* Joining is no work to share; of the rest each rank but the first only computes. */
static bool take_rank(struct sweep_options *o)
{
    if (o->parts.n > 0)
        return ranks_rank() == 0;
    if (ranks_rank() > 0) {
        o->output = NULL;
        o->forms = (struct forms){ 0 };
    }
    study_take_rank(&o->common, &o->device);
    return true;
}

/* All ranks must read the same trace: each node may have its own idea of a path. */
static enum gtr_code open_and_run(struct sweep *sweep, struct gtr_err *err)
{
    enum gtr_code rc = ranks_agree(open_sweep(sweep, err), err);

    if (rc == GTR_OK && !ranks_same(sweep->about.context))
        rc = gtr_fail(err, GTR_EUSAGE, "%s: is not the trace that rank 0 has read",
                      sweep->options.trace);
    rc = ranks_agree(rc, err);
    return rc == GTR_OK ? run_sweep(sweep, err) : rc;
}

int cmd_sweep(int argc, char **argv)
{
    struct sweep sweep = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    int status;

    sweep_options_parse(&sweep.options, argc, argv);
    if (!take_rank(&sweep.options)) {
        sweep_options_free(&sweep.options);
        return EXIT_DONE;
    }
    rc = sweep.options.parts.n > 0 ? join_parts(&sweep, &err) : open_and_run(&sweep, &err);
    if (rc == GTR_OK && sweep.stopped)
        cli_note(&sweep.options.common, "stopped: %zu of %llu settings done%s", sweep.n_done,
                 (unsigned long long)sweep.about.count,
                 sweep.options.output != NULL ? "; the same command goes on from there" : "");
    if (rc == GTR_OK && sweep.n_done > 0 && ranks_rank() == 0)
        rc = tell(&sweep, &err);
    status = rc != GTR_OK    ? cli_fail(&sweep.options.common, &err)
             : sweep.stopped ? EXIT_FAILED
                             : EXIT_DONE;
    close_sweep(&sweep);
    return status;
}
