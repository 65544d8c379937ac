/* cmd_doctor.c - gradtrace doctor: what is wrong with a run, or with a clipping setting. */
#include "cli.h"

#include "doctor_found.h"

static enum gtr_code tell(const struct doctor_found *found, struct forms *forms,
                          struct gtr_err *err)
{
    enum gtr_code rc = forms_write_tsv(forms, doctor_finding_rows, found, err);

    if (rc == GTR_OK && forms->json.f != NULL)
        rc = doctor_json(forms->json.f, found, err);
    if (rc == GTR_OK && forms->told)
        doctor_report(stdout, found);
    return rc == GTR_OK ? forms_close(forms, err) : rc;
}

static enum gtr_code run(struct doctor_options *o, bool *severe, struct gtr_err *err)
{
    struct doctor_found found;
    enum gtr_code rc = doctor_found_make(&found, o, err);

    if (rc == GTR_OK)
        rc = tell(&found, &o->forms, err);
    *severe = doctor_count(&found, GTR_SEVERE) > 0;
    doctor_found_free(&found);
    return rc;
}

static enum gtr_code put_list(struct gtr_err *err)
{
    struct output output;
    enum gtr_code rc = output_open(&output, "-", false, err);

    if (rc == GTR_OK)
        doctor_list(output.f);
    return rc == GTR_OK ? output_close(&output, err) : rc;
}

int cmd_doctor(int argc, char **argv)
{
    struct doctor_options options;
    struct gtr_err err = { 0 };
    bool severe = false;
    enum gtr_code rc = doctor_options_parse(&options, argc, argv, &err);

    if (rc == GTR_OK)
        rc = options.list ? put_list(&err) : run(&options, &severe, &err);
    doctor_options_free(&options);
    if (rc != GTR_OK)
        return cli_fail(&options.common, &err);
    return severe && options.strict ? EXIT_FAILED : EXIT_DONE;
}
