/* cmd_diff.c - gradtrace diff: do two runs differ, and where do two policies. */
#include "cli.h"

#include <errno.h>
#include <string.h>

#include "diff_found.h"
#include "diff_policies.h"
#include "output.h"

struct outputs {
    struct output tsv, json;
    bool told; /* stdout is free for people */
};

static enum gtr_code outputs_open(struct outputs *outputs, const struct diff_options *o,
                                  struct gtr_err *err)
{
    enum gtr_code rc = output_open(&outputs->tsv, o->tsv, o->common.force, err);

    if (rc == GTR_OK)
        rc = output_open(&outputs->json, o->json, o->common.force, err);
    outputs->told = outputs->tsv.f != stdout && outputs->json.f != stdout;
    return rc;
}

static enum gtr_code outputs_close(struct outputs *outputs, struct gtr_err *err)
{
    enum gtr_code rc = output_close(&outputs->tsv, err);

    if (rc == GTR_OK)
        rc = output_close(&outputs->json, err);
    if (rc == GTR_OK && fflush(stdout) != 0)
        rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
    return rc;
}

static enum gtr_code diff_traces(const struct diff_options *o, struct outputs *outputs,
                                 struct gtr_err *err)
{
    struct diff_found found;
    enum gtr_code rc = diff_found_make(&found, o, err);

    if (rc == GTR_OK)
        rc = outputs_open(outputs, o, err);
    if (rc == GTR_OK && outputs->tsv.f != NULL)
        diff_tsv(outputs->tsv.f, &found);
    if (rc == GTR_OK && outputs->json.f != NULL)
        rc = diff_json(outputs->json.f, &found, err);
    if (rc == GTR_OK && outputs->told)
        diff_report(stdout, &found);
    diff_found_free(&found);
    return rc;
}

static enum gtr_code diff_settings(const struct diff_options *o, struct outputs *outputs,
                                   struct gtr_err *err)
{
    struct diff_policies found;
    enum gtr_code rc = diff_policies_make(&found, o, err);

    if (rc == GTR_OK)
        rc = outputs_open(outputs, o, err);
    if (rc == GTR_OK && outputs->tsv.f != NULL)
        diff_policies_tsv(outputs->tsv.f, &found);
    if (rc == GTR_OK && outputs->json.f != NULL)
        rc = diff_policies_json(outputs->json.f, &found, err);
    if (rc == GTR_OK && outputs->told)
        diff_policies_report(stdout, &found);
    diff_policies_free(&found);
    return rc;
}

int cmd_diff(int argc, char **argv)
{
    struct diff_options options;
    struct outputs outputs = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    diff_options_parse(&options, argc, argv);
    rc = diff_of_policies(&options) ? diff_settings(&options, &outputs, &err)
                                    : diff_traces(&options, &outputs, &err);
    if (rc == GTR_OK)
        rc = outputs_close(&outputs, &err);
    if (rc == GTR_OK && options.replay.n_policies > 0)
        fprintf(outputs.told ? stdout : stderr, "%s\n", study_open_loop);
    output_abandon(&outputs.tsv);
    output_abandon(&outputs.json);
    cli_replay_free(&options.replay);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&options.common, &err);
}
