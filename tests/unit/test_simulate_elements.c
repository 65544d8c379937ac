/* test_simulate_elements.c - made-up elements: the same everywhere, and what they should be. */
#define _GNU_SOURCE
#include <math.h>

#include "digest.h"
#include "simulating.h"
#include "sumsq.h"

enum { STEPS = 30 };

static struct gtr_simulation tiny(const char *scenario, int64_t elements, double fraction)
{
    struct gtr_simulation simulation = asked(scenario, NULL);

    CHECK(gtr_layout_find("tiny", &simulation.layout, NULL) == GTR_OK);
    simulation.n_steps = STEPS;
    simulation.elements = elements;
    simulation.fraction = fraction;
    return simulation;
}

static float *elements_of(const struct run *run, size_t tensor, size_t capture, size_t *n)
{
    float *elements;

    *n = gtr_trace_n_elements(run->trace, tensor);
    elements = calloc(*n, sizeof *elements);
    CHECK(gtr_trace_read_elements(run->trace, tensor, capture, elements, NULL) == GTR_OK);
    return elements;
}

/* Written down once; gcc -O0 to -O3 and clang must all come to it. */
static void elements_are_the_same_everywhere(void)
{
    const struct gtr_simulation simulation = tiny("drift", GTR_ELEMENTS_FULL, 0.0);
    struct run run = run_of(&simulation, NULL);
    uint64_t digest = GTR_DIGEST_START;
    size_t i, t, e, n;

    for (i = 0; i < gtr_trace_head(run.trace)->n_tensors; i++)
        for (t = 0; t < STEPS; t++) {
            float *elements = elements_of(&run, i, t, &n);

            for (e = 0; e < n; e++) {
                double value = (double)elements[e];

                digest = gtr_digest_doubles(digest, &value, 1);
            }
            free(elements);
        }
    CHECK(digest == UINT64_C(0xf62f4a42403e22c1));
    if (digest != UINT64_C(0xf62f4a42403e22c1))
        printf("    %016llx\n", (unsigned long long)digest);
    run_close(&run);
}

static void norms_are_those_of_the_elements_and_of_the_scenario(void)
{
    const struct gtr_simulation bare = tiny("culprit", GTR_ELEMENTS_NONE, 0.0);
    const struct gtr_simulation full = tiny("culprit", GTR_ELEMENTS_FULL, 0.0);
    struct run run = run_of(&bare, "tensor");
    size_t n_tensors = gtr_trace_head(run.trace)->n_tensors, i, t, n;
    double *wanted = calloc(STEPS * n_tensors, sizeof *wanted), *row;

    CHECK(gtr_trace_head(run.trace)->tensors[0].dtype == GTR_BF16);
    CHECK(gtr_trace_n_captures(run.trace) == 0);
    CHECK(gtr_trace_read_rows(run.trace, GTR_SUMSQ, 0, STEPS, wanted, NULL) == GTR_OK);
    run_close(&run);
    run = run_of(&full, "tensor");
    CHECK(gtr_trace_head(run.trace)->tensors[0].dtype == GTR_F32);
    CHECK(gtr_trace_n_captures(run.trace) == STEPS);
    row = calloc(n_tensors, sizeof *row);
    for (t = 0; t < STEPS; t++) {
        CHECK(gtr_trace_read_rows(run.trace, GTR_SUMSQ, t, 1, row, NULL) == GTR_OK);
        for (i = 0; i < n_tensors; i++) {
            float *elements = elements_of(&run, i, t, &n);
            struct gtr_reduction sum;

            gtr_reduce(GTR_F32, elements, n, 1, &sum);
            CHECK_BITS(row[i], sum.sumsq);
            CHECK_NEAR(row[i] / wanted[t * n_tensors + i], 1.0, 2e-7);
            free(elements);
        }
    }
    free(wanted);
    free(row);
    run_close(&run);
}

static void what_would_be_too_large_is_refused(void)
{
    struct gtr_simulation simulation = tiny("healthy", GTR_ELEMENTS_FULL, 0.0);
    struct gtr_err err = { 0 };

    simulation.elements_limit = 49824.0 * 4 * STEPS - 1;
    CHECK(gtr_simulation_write(&simulation, scratch_path("no.h5"), true, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "30 steps of tiny: 0.00598 GB of file");
    CHECK(access(scratch_path("no.h5"), F_OK) != 0);
    simulation.elements_limit += 1;
    CHECK(gtr_simulation_write(&simulation, scratch_path("yes.h5"), true, NULL) == GTR_OK);
    simulation.elements = 3;
    CHECK(gtr_simulation_write(&simulation, scratch_path("no.h5"), true, NULL) == GTR_EUSAGE);
    simulation.elements = GTR_ELEMENTS_BLOCKS;
    simulation.fraction = 1.5;
    CHECK(gtr_simulation_write(&simulation, scratch_path("no.h5"), true, NULL) == GTR_EUSAGE);
}

/* Each allocation fails once; what was got before is given back (check-asan looks). */
static void no_memory_is_told(void)
{
    struct gtr_simulation simulation = tiny("healthy", GTR_ELEMENTS_BLOCKS, 0.25);
    enum gtr_code rc = GTR_ENOMEM;
    size_t n;

    simulation.n_steps = 2;
    for (n = 1; rc != GTR_OK && n < 3000; n += n < 40 ? 1 : 23) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(n);
        rc = gtr_simulation_write(&simulation, scratch_path("memory.h5"), true, &err);
        gtr_alloc_fail_after(0);
        CHECK(rc == GTR_OK || rc == GTR_ENOMEM);
    }
    CHECK(rc == GTR_OK && n > 60);
}

int main(void)
{
    RUN(elements_are_the_same_everywhere);
    RUN(norms_are_those_of_the_elements_and_of_the_scenario);
    RUN(what_would_be_too_large_is_refused);
    RUN(no_memory_is_told);
    return check_report();
}
