/* cmd_spill.c - gradtrace spill: who makes the norm explode, and who pays for it. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "spill_figure.h"
#include "spill_report.h"
#include "spill_write.h"

struct outputs {
    struct output tsv, steps, json;
    bool told; /* stdout is free for people */
};

/* Told before the work, not after it. */
static enum gtr_code check_output(const struct spill_options *o, struct gtr_err *err)
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

static enum gtr_code outputs_open(struct outputs *outputs, const struct spill_options *o,
                                  struct gtr_err *err)
{
    enum gtr_code rc = check_output(o, err);

    if (rc == GTR_OK)
        rc = output_open(&outputs->tsv, o->tsv, o->common.force, err);
    if (rc == GTR_OK)
        rc = output_open(&outputs->steps, o->steps, o->common.force, err);
    if (rc == GTR_OK)
        rc = output_open(&outputs->json, o->json, o->common.force, err);
    outputs->told =
        outputs->tsv.f != stdout && outputs->steps.f != stdout && outputs->json.f != stdout;
    return rc;
}

static enum gtr_code outputs_close(struct outputs *outputs, struct gtr_err *err)
{
    enum gtr_code rc = output_close(&outputs->tsv, err);

    if (rc == GTR_OK)
        rc = output_close(&outputs->steps, err);
    if (rc == GTR_OK)
        rc = output_close(&outputs->json, err);
    if (rc == GTR_OK && fflush(stdout) != 0)
        rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
    return rc;
}

static void outputs_abandon(struct outputs *outputs)
{
    output_abandon(&outputs->tsv);
    output_abandon(&outputs->steps);
    output_abandon(&outputs->json);
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

static enum gtr_code tell(const struct spill_found *found, struct outputs *outputs,
                          struct gtr_err *err)
{
    const struct spill_options *o = found->options;
    enum gtr_code rc = GTR_OK;

    if (outputs->tsv.f != NULL)
        spill_tsv(outputs->tsv.f, found);
    if (outputs->steps.f != NULL)
        spill_steps(outputs->steps.f, found);
    if (outputs->json.f != NULL)
        rc = spill_json(outputs->json.f, found, err);
    if (rc == GTR_OK && o->output != NULL)
        rc = write_result(found, err);
    if (rc == GTR_OK && outputs->told)
        spill_report(stdout, found);
    if (rc == GTR_OK)
        rc = outputs_close(outputs, err);
    if (rc == GTR_OK && o->figures != NULL)
        rc = spill_draw(found, err);
    return rc;
}

int cmd_spill(int argc, char **argv)
{
    struct spill_options options;
    struct spill_found found = { 0 };
    struct outputs outputs = { 0 };
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    spill_options_parse(&options, argc, argv);
    rc = study_open(&study, options.trace, &options.common, &options.replay, &err);
    if (rc == GTR_OK)
        rc = outputs_open(&outputs, &options, &err);
    if (rc == GTR_OK)
        rc = spill_found_make(&found, &study, &options, &err);
    if (rc == GTR_OK)
        rc = tell(&found, &outputs, &err);
    outputs_abandon(&outputs);
    spill_found_free(&found);
    study_close(&study);
    cli_replay_free(&options.replay);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&options.common, &err);
}
