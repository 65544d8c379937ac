/* sweep_table.c - all settings and objectives for programs, one row each, written one by one: there
 * may be millions. */
#include "sweep_found.h"

static void put_columns(struct rows *rows, const struct sweep_results *results)
{
    const struct gtr_plan *plan = results->plan;
    char name[SWEEP_NAME_SIZE];
    size_t k;

    rows_columns(rows, "setting policy");
    for (k = 0; k < gtr_plan_n_knobs(plan); k++) /* an object's keys must differ */
        rows_column(rows,
                    rows->json ? sweep_knob_name(results, k, name) : gtr_plan_knob_name(plan, k));
    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        rows_column(rows, gtr_objective_name((enum gtr_objective)k));
    rows_columns(rows, "text");
}

void sweep_rows(struct rows *rows, const void *what)
{
    const struct sweep_results *results = what;
    const struct gtr_plan *plan = results->plan;
    size_t i, k;

    put_columns(rows, results);
    for (i = 0; i < results->n && !ferror(rows->f); i++) {
        size_t setting = results->first + i;
        char *text;

        if (!gtr_plan_allows(plan, setting))
            continue;
        text = gtr_plan_text(plan, setting);
        rows_integer(rows, (int64_t)setting);
        rows_text(rows, gtr_plan_policy_name(plan, gtr_plan_policy_of(plan, setting)));
        for (k = 0; k < gtr_plan_n_knobs(plan); k++)
            rows_number(rows, gtr_plan_knob(plan, setting, k));
        for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
            rows_number(rows, results->rows[i * GTR_OBJECTIVE_COUNT + k]);
        rows_text(rows, text != NULL ? text : "");
        gtr_free(text);
    }
}
