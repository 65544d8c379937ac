/* update_rows.c - every policy, simulated step and group for programs, and after the groups all of
 * them together, "(all)", as the tables and the HDF5 result have it. */
#include "update_found.h"

static void put_place(struct rows *rows, const struct update_place *place)
{
    const struct gtr_update_values *v = &place->values;

    rows_number(rows, place->scale);
    rows_number(rows, v->norm);
    rows_number(rows, v->plain);
    rows_number(rows, v->change);
    rows_number(rows, v->cosine);
    rows_number(rows, place->proxy);
    rows_number(rows, v->error.norm);
    rows_number(rows, v->error.change);
    rows_number(rows, v->error.cosine);
}

void update_rows(struct rows *rows, const void *what)
{
    const struct update_found *found = what;
    const struct study *study = found->study;
    size_t p, r, g;

    rows_columns(rows, "step policy group scale update_norm plain_norm change cosine proxy "
                       "update_norm_se change_se cosine_se");
    for (p = 0; p < study->n_settings; p++) {
        for (r = 0; r < found->n_rows && !ferror(rows->f); r++) {
            for (g = 0; g <= found->n_groups; g++) {
                struct update_place place;

                update_place_at(found, p, g, r, &place);
                rows_integer(rows, place.step);
                rows_text(rows, study->labels[p]);
                rows_text(rows, g < found->n_groups ? study->series->names[g] : "(all)");
                put_place(rows, &place);
            }
        }
    }
}
