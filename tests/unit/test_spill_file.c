/* test_spill_file.c - what a result of spill holds, read back; and when it appears. */
#define _GNU_SOURCE
#include <unistd.h>

#include "h5.h"
#include "simulating.h"
#include "spill.h"
#include "result_file.h"

struct made {
    struct run run;
    struct gtr_replay *replay;
    struct gtr_baseline *baseline;
    struct gtr_spill *spill;
    struct gtr_spill_point points[5], chosen;
    struct gtr_spill_about about;
};

static void make(struct made *m)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    const struct gtr_spill_options at = { .max_norm = 1.2, .method = GTR_BLAME_SHAPLEY };
    struct gtr_baseline_options past;

    memset(m, 0, sizeof *m);
    m->run = run_named("heavy", NULL);
    gtr_baseline_options_init(&past);
    CHECK(gtr_replay_new(m->run.series, &options, &m->replay, NULL) == GTR_OK);
    CHECK(gtr_baseline_new(m->run.series, gtr_replay_skip(m->replay), &past, &m->baseline, NULL) ==
          GTR_OK);
    CHECK(gtr_spill_new(m->replay, m->baseline, &at, &m->spill, NULL) == GTR_OK);
    CHECK(gtr_spill_curve(m->replay, m->baseline, m->points, 5, NULL) == GTR_OK);
    CHECK(gtr_spill_limit(m->replay, m->baseline, 0.01, &m->chosen, NULL) == GTR_OK);
    m->about = (struct gtr_spill_about){ .trace = "some/run.h5",
                                         .group_by = "module",
                                         .replay = m->replay,
                                         .baseline = m->baseline,
                                         .method = "shapley",
                                         .cost = 0.01,
                                         .chosen = &m->chosen,
                                         .points = m->points,
                                         .n_points = 5 };
}

static void made_free(struct made *m)
{
    gtr_spill_free(m->spill);
    gtr_baseline_free(m->baseline);
    gtr_replay_free(m->replay);
    run_close(&m->run);
}

static bool holds_vector(const struct gtr_h5 *h5, const char *name, const double *wanted, size_t n)
{
    double *values = NULL;
    size_t got = 0;
    bool same = gtr_h5_read_vector(h5, name, GTR_H5_F64, &values, &got, NULL) == GTR_OK &&
                got == n && memcmp(values, wanted, n * sizeof *values) == 0;

    gtr_free(values);
    return same;
}

static bool holds_table(const struct gtr_h5 *h5, const char *name, const double *wanted,
                        size_t rows, size_t cols)
{
    struct gtr_h5_table *table = NULL;
    double *values = gtr_alloc(rows * cols, sizeof *values);
    bool same = values != NULL && gtr_h5_table_open(h5, name, GTR_H5_F64, &table, NULL) == GTR_OK &&
                gtr_h5_table_rows(table) == rows && gtr_h5_table_cols(table) == cols &&
                gtr_h5_table_read_rows(table, 0, rows, values, NULL) == GTR_OK &&
                memcmp(values, wanted, rows * cols * sizeof *values) == 0;

    gtr_h5_table_close(table);
    gtr_free(values);
    return same;
}

static void everything_reads_back_to_the_bit(void)
{
    const char *path = scratch_path("spill.h5");
    struct gtr_result *result;
    const struct gtr_spill *s;
    struct gtr_h5 *h5 = NULL;
    double value = 0.0;
    char *text = NULL;
    struct made m;

    make(&m);
    s = m.spill;
    CHECK(s->n_excess > 0);
    CHECK(gtr_spill_file_open(path, false, &m.about, &result, NULL) == GTR_OK);
    CHECK(gtr_spill_file_add(result, "global:max_norm=1.2", s, NULL) == GTR_OK);
    CHECK(gtr_spill_file_add(result, "again", s, NULL) == GTR_OK);
    CHECK(access(path, F_OK) != 0);
    CHECK(gtr_result_close(result, NULL) == GTR_OK);

    CHECK(gtr_h5_open(path, &h5, NULL) == GTR_OK);
    CHECK(gtr_h5_get_text(h5, "/", "trace", &text, NULL) == GTR_OK && strcmp(text, "run.h5") == 0);
    gtr_free(text);
    CHECK(gtr_h5_get_text(h5, "/policy/1", "setting", &text, NULL) == GTR_OK &&
          strcmp(text, "again") == 0);
    gtr_free(text);
    CHECK(gtr_h5_get_real(h5, "/", "recommended", &value, NULL) == GTR_OK);
    CHECK_BITS(value, m.chosen.max_norm);
    CHECK(gtr_h5_get_real(h5, "/policy/0", "excess_share", &value, NULL) == GTR_OK);
    CHECK_BITS(value, s->excess_share);
    CHECK(holds_vector(h5, "/policy/0/excess", s->excess, s->n_steps));
    CHECK(holds_vector(h5, "/policy/0/attenuation", s->attenuation, s->n_steps));
    CHECK(holds_vector(h5, "/policy/0/received", s->received, s->n_groups));
    CHECK(holds_vector(h5, "/policy/0/blamed", s->blamed, s->n_groups));
    CHECK(holds_vector(h5, "/policy/0/innocent", s->innocent, s->n_groups));
    CHECK(holds_table(h5, "/policy/0/matrix", s->matrix, s->n_groups, s->n_groups));
    CHECK(holds_table(h5, "/policy/1/blame", s->blame, s->n_groups, s->n_steps));
    CHECK(holds_table(h5, "/log_ratio", m.baseline->log_ratio, s->n_groups, s->n_steps));
    CHECK(holds_table(h5, "/curve", (const double *)m.points, 5, 6));
    CHECK(gtr_h5_close(h5, NULL) == GTR_OK);
    made_free(&m);
}

static void an_existing_file_is_kept_and_an_abandoned_one_never_appears(void)
{
    const char *path = scratch_path("kept.h5");
    struct gtr_result *result;
    struct gtr_err err = { 0 };
    struct made m;

    make(&m);
    CHECK(gtr_spill_file_open(path, false, &m.about, &result, NULL) == GTR_OK);
    gtr_result_abandon(result);
    CHECK(access(path, F_OK) != 0);
    CHECK(gtr_spill_file_open(path, false, &m.about, &result, NULL) == GTR_OK);
    CHECK(gtr_result_close(result, NULL) == GTR_OK);
    CHECK(gtr_spill_file_open(path, false, &m.about, &result, &err) != GTR_OK);
    CHECK(result == NULL);
    CHECK_HOLDS(err.text, "exists already");
    gtr_result_abandon(NULL);
    CHECK(gtr_result_close(NULL, NULL) == GTR_OK);
    made_free(&m);
}

/* As a full disk would do it: what is written after the failure is not, and the file never appears.
 */
static void a_result_that_failed_is_not_kept(void)
{
    const char *path = scratch_path("failed.h5");
    struct gtr_result *result;
    struct gtr_err err = { 0 };
    struct made m;

    make(&m);
    CHECK(gtr_spill_file_open(path, false, &m.about, &result, NULL) == GTR_OK);
    gtr_alloc_fail_after(1);
    CHECK(gtr_spill_file_add(result, "first", m.spill, &err) == GTR_ENOMEM);
    gtr_alloc_fail_after(0);
    CHECK_HOLDS(err.text, "no memory");
    CHECK(gtr_spill_file_add(result, "second", m.spill, NULL) == GTR_ENOMEM);
    CHECK(gtr_result_close(result, NULL) == GTR_ENOMEM);
    CHECK(access(path, F_OK) != 0);
    made_free(&m);
}

int main(void)
{
    RUN(everything_reads_back_to_the_bit);
    RUN(a_result_that_failed_is_not_kept);
    RUN(an_existing_file_is_kept_and_an_abandoned_one_never_appears);
    return check_report();
}
