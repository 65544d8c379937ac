/* cmd_update.c - gradtrace update: what really reaches the optimizer. */
#include "cli.h"

#include <errno.h>
#include <string.h>

#include "output.h"
#include "ranks.h"
#include "study.h"
#include "update_figure.h"
#include "update_found.h"
#include "update_options.h"
#include "update_tables.h"

static enum gtr_code add_policy(const struct update_found *found, size_t i,
                                const struct gtr_update_about *about, struct gtr_result *result,
                                struct gtr_err *err)
{
    const struct study *study = found->study;
    const struct gtr_series *series = study->series;
    char *setting = gtr_setting_print_bound(study->settings[i], (const char *const *)series->names,
                                            series->n_groups, found->decisions[i]->params);
    enum gtr_code rc;

    if (setting == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for the setting's text");
    rc = gtr_update_file_add(result, about, study->labels[i], setting, found->decisions[i],
                             found->rho[i], err);
    gtr_free(setting);
    return rc;
}

static enum gtr_code write_result(const struct update_found *found, struct gtr_err *err)
{
    const struct update_options *o = found->options;
    const struct gtr_update_about about = { .trace = o->trace,
                                            .group_by = found->study->groups->rule,
                                            .replay = found->study->replay,
                                            .optimizer = &found->optimizer,
                                            .update = found->update };
    struct gtr_result *result = NULL;
    enum gtr_code rc;
    size_t i;

    if (o->result == NULL)
        return GTR_OK;
    rc = gtr_update_file_open(o->result, o->common.force, &about, &result, err);
    for (i = 0; rc == GTR_OK && i < found->study->n_settings; i++)
        rc = add_policy(found, i, &about, result, err);
    if (rc == GTR_OK)
        return gtr_result_close(result, err);
    gtr_result_abandon(result);
    return rc;
}

/* Tables and figures. */
static enum gtr_code tell_people(const struct update_found *found, bool tables, struct gtr_err *err)
{
    struct update_summary *summaries = NULL;
    enum gtr_code rc = update_summaries_new(found, &summaries, err);

    if (rc == GTR_OK && tables)
        update_tables_print(stdout, found, summaries);
    if (rc == GTR_OK && (found->options->figures != NULL || found->options->term))
        rc = update_figures_draw(found, summaries, err);
    gtr_free(summaries);
    return rc;
}

static enum gtr_code tell(const struct update_found *found, struct gtr_err *err)
{
    const struct update_options *o = found->options;
    struct output tsv;
    enum gtr_code rc = output_open(&tsv, o->tsv, o->common.force, err);
    bool tables = tsv.f != stdout;

    if (rc == GTR_OK && tsv.f != NULL)
        update_tsv(tsv.f, found);
    if (rc == GTR_OK)
        rc = write_result(found, err);
    if (rc == GTR_OK)
        rc = tell_people(found, tables, err);
    if (rc == GTR_OK)
        rc = output_close(&tsv, err);
    output_abandon(&tsv);
    if (rc == GTR_OK && fflush(stdout) != 0)
        rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
    if (rc == GTR_OK)
        fprintf(tables ? stdout : stderr, "%s\n", study_open_loop);
    return rc;
}

/* A simulation may take an hour: what stands in its outputs' way is told before it. */
static enum gtr_code check_outputs(const struct update_options *o, struct gtr_err *err)
{
    const char *const paths[] = { o->tsv, o->result };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(paths); i++) {
        struct gtr_outfile file = { 0 };

        if (paths[i] == NULL || strcmp(paths[i], "-") == 0)
            continue;
        rc = gtr_outfile_begin(&file, paths[i], o->common.force, err);
        gtr_outfile_abandon(&file);
    }
    return rc;
}

/* Each rank but the first only computes. */
static void take_rank(struct update_options *o)
{
    char text[80];

    if (ranks_rank() > 0) {
        o->tsv = o->result = o->figures = NULL;
        o->term = false;
    }
    if (o->common.n_threads == 0)
        o->common.n_threads = ranks_threads();
    ranks_device(&o->device);
    ranks_describe(o->common.n_threads, text, sizeof text);
    if (text[0] != '\0')
        cli_note(&o->common, "%s", text);
}

int cmd_update(int argc, char **argv)
{
    struct update_options options = { 0 };
    struct update_found found = { 0 };
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    update_options_parse(&options, argc, argv);
    take_rank(&options);
    rc = study_open(&study, options.trace, &options.common, &options.replay, &err);
    if (rc == GTR_OK)
        rc = check_outputs(&options, &err);
    rc = ranks_agree(rc, &err);
    if (rc == GTR_OK)
        rc = update_found_make(&found, &options, &study, &err);
    if (rc == GTR_OK && ranks_rank() == 0)
        rc = tell(&found, &err);
    update_found_free(&found);
    study_close(&study);
    cli_replay_free(&options.replay);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&options.common, &err);
}
