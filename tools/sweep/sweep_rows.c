/* sweep_tsv.c - all settings and objectives, one row each. */
#include "sweep_report.h"

static void put_number(FILE *f, double value)
{
    char text[GTR_NUMBER_SIZE];

    gtr_text_print(value, text);
    fprintf(f, "\t%s", text);
}

/* What to type after -p for this setting. */
static void put_text(FILE *f, const struct gtr_plan *plan, size_t setting)
{
    char *text = gtr_plan_text(plan, setting);

    fprintf(f, "\t%s\n", text != NULL ? text : "");
    gtr_free(text);
}

void sweep_tsv(FILE *f, const struct sweep_results *results)
{
    const struct gtr_plan *plan = results->plan;
    size_t n_knobs = gtr_plan_n_knobs(plan), i, k;

    fputs("setting\tpolicy", f);
    for (k = 0; k < n_knobs; k++)
        fprintf(f, "\t%s", gtr_plan_knob_name(plan, k));
    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        fprintf(f, "\t%s", gtr_objective_name((enum gtr_objective)k));
    fputs("\ttext\n", f);
    for (i = 0; i < results->n && !ferror(f); i++) {
        size_t setting = results->first + i;

        if (!gtr_plan_allows(plan, setting))
            continue;
        fprintf(f, "%zu\t%s", setting,
                gtr_plan_policy_name(plan, gtr_plan_policy_of(plan, setting)));
        for (k = 0; k < n_knobs; k++)
            put_number(f, gtr_plan_knob(plan, setting, k));
        for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
            put_number(f, results->rows[i * GTR_OBJECTIVE_COUNT + k]);
        put_text(f, plan, setting);
    }
}
