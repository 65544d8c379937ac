/* cmd_spill.c - gradtrace spill: who makes the norm explode, and who pays for it. */
#include "cli.h"

#include <stdio.h>

#include "spill_figure.h"

static enum gtr_code open_outputs(struct spill_options *o, struct output *steps,
                                  struct gtr_err *err)
{
    enum gtr_code rc = output_check(o->output, o->common.force, err);

    if (rc == GTR_OK)
        rc = forms_open(&o->forms, o->common.force, err);
    if (rc == GTR_OK)
        rc = output_open(steps, o->steps, o->common.force, err);
    o->forms.told = o->forms.told && steps->f != stdout;
    return rc;
}

static enum gtr_code write_result(const struct spill_found *found, struct gtr_err *err)
{
    const struct spill_options *o = found->options;
    const struct gtr_spill_about about = { .trace = o->trace,
                                           .group_by = found->study->groups->rule,
                                           .replay = found->study->replay,
                                           .baseline = found->baseline,
                                           .method = spill_methods[o->method],
                                           .cost = o->cost,
                                           .chosen = &found->chosen,
                                           .points = found->points,
                                           .n_points = SPILL_POINTS };
    struct gtr_result *result = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_spill_file_open(o->output, o->common.force, &about, &result, err);
    for (i = 0; rc == GTR_OK && i < found->n_policies; i++)
        rc = gtr_spill_file_add(result, found->policies[i].text, found->policies[i].spill, err);
    if (rc == GTR_OK)
        return gtr_result_close(result, err);
    gtr_result_abandon(result);
    return rc;
}

static enum gtr_code tell(const struct spill_found *found, struct forms *forms,
                          struct output *steps, struct gtr_err *err)
{
    const struct spill_options *o = found->options;
    enum gtr_code rc = forms_write_tsv(forms, spill_group_rows, found, err);

    if (rc == GTR_OK && steps->f != NULL)
        rc = spill_steps(steps->f, found, err);
    if (rc == GTR_OK && forms->json.f != NULL)
        rc = spill_json(forms->json.f, found, err);
    if (rc == GTR_OK && o->output != NULL)
        rc = write_result(found, err);
    if (rc == GTR_OK && forms->told)
        spill_report(stdout, found);
    if (rc == GTR_OK)
        rc = output_close(steps, err);
    if (rc == GTR_OK)
        rc = forms_close(forms, err);
    if (rc == GTR_OK && figure_wanted(&o->figures))
        rc = spill_draw(found, err);
    return rc;
}

int cmd_spill(int argc, char **argv)
{
    struct spill_options options;
    struct spill_found found = { 0 };
    struct output steps = { 0 };
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    spill_options_parse(&options, argc, argv);
    rc = study_open(&study, options.trace, &options.common, &options.replay, &err);
    if (rc == GTR_OK)
        rc = open_outputs(&options, &steps, &err);
    if (rc == GTR_OK)
        rc = spill_found_make(&found, &study, &options, &err);
    if (rc == GTR_OK)
        rc = tell(&found, &options.forms, &steps, &err);
    forms_abandon(&options.forms);
    output_abandon(&steps);
    spill_found_free(&found);
    study_close(&study);
    cli_replay_free(&options.replay);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&options.common, &err);
}
