/* cmd_update.c - gradtrace update: what really reaches the optimizer.
 *
 * Ranks share the simulation; the first writes and tells.
 */
#include "cli.h"

#include "ranks.h"
#include "update_summary.h"

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
static enum gtr_code tell_people(const struct update_found *found, struct gtr_err *err)
{
    const struct update_options *o = found->options;
    struct update_summary *summaries = NULL;
    enum gtr_code rc = update_summaries_new(found, &summaries, err);

    if (rc == GTR_OK && o->forms.told)
        update_report(stdout, found, summaries);
    if (rc == GTR_OK && figure_wanted(&o->figures))
        rc = update_figures_draw(found, summaries, err);
    gtr_free(summaries);
    return rc;
}

static enum gtr_code tell(const struct update_found *found, struct forms *forms,
                          struct gtr_err *err)
{
    enum gtr_code rc = forms_open(forms, found->options->common.force, err);

    if (rc == GTR_OK)
        rc = forms_write(forms, update_rows, found, err);
    if (rc == GTR_OK)
        rc = write_result(found, err);
    if (rc == GTR_OK)
        rc = tell_people(found, err);
    if (rc == GTR_OK)
        rc = forms_close(forms, err);
    if (rc == GTR_OK)
        fprintf(forms->told ? stdout : stderr, "%s\n", study_open_loop);
    return rc;
}

/* Each rank but the first only computes. */
static void take_rank(struct update_options *o)
{
    if (ranks_rank() > 0) {
        o->forms = (struct forms){ 0 };
        o->figures = (struct figure_options){ 0 };
        o->result = NULL;
    }
    study_take_rank(&o->common, &o->device);
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
        rc = forms_check(&options.forms, options.common.force, &err);
    if (rc == GTR_OK) /* a simulation may take an hour: told before it */
        rc = output_check(options.result, options.common.force, &err);
    rc = ranks_agree(rc, &err);
    if (rc == GTR_OK)
        rc = update_found_make(&found, &options, &study, &err);
    if (rc == GTR_OK && ranks_rank() == 0)
        rc = tell(&found, &options.forms, &err);
    update_found_free(&found);
    study_close(&study);
    forms_abandon(&options.forms);
    cli_replay_free(&options.replay);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&options.common, &err);
}
