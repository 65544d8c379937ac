/* cmd_diff.c - gradtrace diff: do two runs differ, and where do two policies. */
#include "cli.h"

#include "diff_found.h"
#include "diff_policies_found.h"

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
    struct diff_options options;
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    diff_options_parse(&options, argc, argv);
    rc = forms_open(&options.forms, options.common.force, &err);
    if (rc == GTR_OK)
        rc = (diff_of_policies(&options) ? diff_settings : diff_traces)(&options, &err);
    if (rc == GTR_OK)
        rc = forms_close(&options.forms, &err);
    if (rc == GTR_OK && options.replay.n_policies > 0)
        fprintf(options.forms.told ? stdout : stderr, "%s\n", study_open_loop);
    forms_abandon(&options.forms);
    cli_replay_free(&options.replay);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&options.common, &err);
}
