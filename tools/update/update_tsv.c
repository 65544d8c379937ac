/* update_tsv.c - every simulated step as tab-separated text. */
#include "update_tables.h"

static void put_number(FILE *f, double value, char end)
{
    char text[GTR_NUMBER_SIZE];
    size_t n = gtr_text_print(value, text);

    text[n] = end;
    fwrite(text, 1, n + 1, f);
}

static void put_place(FILE *f, const struct update_place *place)
{
    const struct gtr_update_values *v = &place->values;

    put_number(f, place->scale, '\t');
    put_number(f, v->norm, '\t');
    put_number(f, v->plain, '\t');
    put_number(f, v->change, '\t');
    put_number(f, v->cosine, '\t');
    put_number(f, place->proxy, '\t');
    put_number(f, v->error.norm, '\t');
    put_number(f, v->error.change, '\t');
    put_number(f, v->error.cosine, '\n');
}

void update_tsv(FILE *f, const struct update_found *found)
{
    const struct study *study = found->study;
    size_t p, r, g;

    fputs("step\tpolicy\tgroup\tscale\tupdate_norm\tplain_norm\tchange\tcosine\tproxy\t"
          "update_norm_se\tchange_se\tcosine_se\n",
          f);
    for (p = 0; p < study->n_settings; p++) {
        for (r = 0; r < found->n_rows && !ferror(f); r++) {
            for (g = 0; g < found->n_groups; g++) {
                struct update_place place;

                update_place_at(found, p, g, r, &place);
                fprintf(f, "%lld\t%s\t%s\t", (long long)place.step, study->labels[p],
                        study->series->names[g]);
                put_place(f, &place);
            }
        }
    }
}
