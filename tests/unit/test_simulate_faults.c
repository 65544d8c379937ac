/* test_simulate_faults.c - synthetic traces with something wrong: it is there, where the truth
 * says, and the rest is `healthy`. */
#define _GNU_SOURCE
#include "simulating.h"

static double *row_of(const struct run *run, enum gtr_norm norm, size_t t)
{
    double *row = calloc(gtr_trace_head(run->trace)->n_tensors, sizeof *row);

    CHECK(gtr_trace_read_rows(run->trace, norm, t, 1, row, NULL) == GTR_OK);
    return row;
}

static struct json_object *truth(const struct run *run, const char *key)
{
    struct json_object *value = NULL;

    CHECK(json_object_object_get_ex(run->truth, key, &value));
    return value;
}

static bool holds_number(struct json_object *list, size_t number)
{
    size_t i;

    for (i = 0; i < json_object_array_length(list); i++)
        if (json_object_get_int64(json_object_array_get_idx(list, i)) == (int64_t)number)
            return true;
    return false;
}

static bool holds_text(struct json_object *list, const char *text)
{
    size_t i;

    for (i = 0; i < json_object_array_length(list); i++)
        if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), text) == 0)
            return true;
    return false;
}

/* min(1, C / (N + 1e-6)), as torch has it. */
static double torch_scale(double limit, double norm)
{
    double ratio = limit * (1.0 / (norm + 1e-6)); /* number / tensor */

    return ratio < 1.0 ? ratio : 1.0;
}

/* Every recorded norm over that of `healthy`, and the run's own factors. */
static void check_recording(const char *name, const char *settings, double factor, bool clipped)
{
    struct run healthy = run_named("healthy", NULL), run = run_named(name, settings);
    const struct gtr_step *steps = gtr_trace_steps(run.trace);
    size_t n_wrong = 0, n_clipped = 0, t, j;

    for (t = 0; t < healthy.series->n_steps; t++) {
        double scale = torch_scale(0.8, healthy.series->total[t]);

        n_wrong += fabs(steps[t].applied_scale / scale - 1.0) > 1e-12;
        n_clipped += scale < 1.0;
        for (j = 0; j < healthy.series->n_groups; j++)
            n_wrong +=
                fabs(norm(&run, j, t) / (norm(&healthy, j, t) * factor * (clipped ? scale : 1.0)) -
                     1.0) > 1e-12;
    }
    CHECK(n_wrong == 0);
    CHECK(n_clipped > 100 && n_clipped < healthy.series->n_steps);
    CHECK_HOLDS(gtr_trace_head(run.trace)->meta, "\"max_grad_norm\":0.8");
    run_close(&healthy);
    run_close(&run);
}

static void recordings_differ_from_the_run_by_what_was_asked_for(void)
{
    check_recording("healthy", "max_norm=0.8", 1.0, false);
    check_recording("post-clip", NULL, 1.0, true);
    check_recording("loss-scale", NULL, 65536.0, false);
    check_recording("shards", NULL, 1.0 / sqrt(8.0), false);
}

static void shards_say_so(void)
{
    struct run run = run_named("shards", NULL);

    CHECK(gtr_trace_head(run.trace)->world_size == 8);
    CHECK_TEXT(gtr_trace_head(run.trace)->reduction, "none");
    CHECK_NEAR(truth_number(&run, "recorded_factor"), 0.35355339059327379, 1e-15);
    run_close(&run);
}

static void the_dominant_tensor_has_its_factor(void)
{
    struct run healthy = run_named("healthy", NULL), run = run_named("dominant", "dominant=30");
    const struct gtr_head *head = gtr_trace_head(run.trace);
    const char *name = json_object_get_string(truth(&run, "dominant"));
    double *plain = row_of(&healthy, GTR_SUMSQ, 700), *raised = row_of(&run, GTR_SUMSQ, 700);
    size_t n_raised = 0, i;

    for (i = 0; i < head->n_tensors; i++) {
        bool is_it = strcmp(head->tensors[i].name, name) == 0;

        CHECK_NEAR(raised[i] / plain[i], is_it ? 900.0 : 1.0, 1e-9);
        n_raised += is_it ? 1 : 0;
    }
    CHECK(n_raised == 1);
    free(plain);
    free(raised);
    run_close(&healthy);
    run_close(&run);
}

static void steps_with_nans_are_skipped_by_the_run(void)
{
    struct run run = run_named("nonfinite", "max_norm=0.8");
    const struct gtr_step *steps = gtr_trace_steps(run.trace);
    struct json_object *list = truth(&run, "nonfinite");
    size_t t;

    CHECK(json_object_array_length(list) == 5 && run.series->n_nonfinite == 5);
    for (t = 0; t < run.series->n_steps; t++) {
        bool wrong = holds_number(list, t);

        CHECK(run.series->nonfinite[t] == wrong && steps[t].skipped == wrong);
        CHECK(isnan(steps[t].applied_scale) == wrong);
    }
    run_close(&run);
}

static void stale_steps_repeat_the_one_before(void)
{
    struct run run = run_named("stale", NULL);
    struct json_object *list = truth(&run, "stale");
    size_t bytes = gtr_trace_head(run.trace)->n_tensors * sizeof(double), t;

    CHECK(json_object_array_length(list) == 40);
    for (t = 1; t < run.series->n_steps; t++) {
        double *before = row_of(&run, GTR_SUMSQ, t - 1), *row = row_of(&run, GTR_SUMSQ, t);

        CHECK((memcmp(before, row, bytes) == 0) == holds_number(list, t));
        free(before);
        free(row);
    }
    run_close(&run);
}

static void the_dead_have_no_gradient(void)
{
    struct run run = run_named("dead", NULL);
    const struct gtr_head *head = gtr_trace_head(run.trace);
    struct json_object *dead = truth(&run, "dead"), *died = truth(&run, "died");
    double *early = row_of(&run, GTR_SUMSQ, 899), *late = row_of(&run, GTR_SUMSQ, 900);
    size_t i;

    CHECK(json_object_array_length(dead) == 2 && json_object_array_length(died) == 1);
    CHECK_BITS(truth_number(&run, "died_step"), 900.0);
    for (i = 0; i < head->n_tensors; i++) {
        bool silent = holds_text(dead, head->tensors[i].name);
        bool dies = holds_text(died, run.groups->names[run.groups->of_tensor[i]]);

        CHECK((early[i] == 0.0) == silent);
        CHECK((late[i] == 0.0) == (silent || dies));
    }
    free(early);
    free(late);
    run_close(&run);
}

static void refused(const char *name, const char *settings, bool elements, const char *part)
{
    struct gtr_simulation simulation = asked(name, settings);
    struct gtr_err err = { 0 };

    simulation.elements = elements ? GTR_ELEMENTS_FULL : GTR_ELEMENTS_NONE;
    CHECK(gtr_simulation_write(&simulation, scratch_path("no.h5"), true, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, part);
}

static void faults_that_cannot_be_are_refused(void)
{
    refused("healthy", "clipped=1", false, "set max_norm=C as well");
    refused("healthy", "dead=39", false, "dead=39: the model has only 39");
    refused("healthy", "died=10", false, "died=10: the model has only 10");
    refused("healthy", "stale=1", true, "set nonfinite=0 and stale=0");
}

int main(void)
{
    RUN(recordings_differ_from_the_run_by_what_was_asked_for);
    RUN(shards_say_so);
    RUN(the_dominant_tensor_has_its_factor);
    RUN(steps_with_nans_are_skipped_by_the_run);
    RUN(stale_steps_repeat_the_one_before);
    RUN(the_dead_have_no_gradient);
    RUN(faults_that_cannot_be_are_refused);
    return check_report();
}
