/* test_update_sample.c - totals estimated from a sample of blocks, and their standard errors. */
#define _XOPEN_SOURCE 700
#include "alloc.h"
#include "random.h"
#include "student.h"
#include "update_spread.h"
#include "updating.h"

enum { SEEDS = 160 };

static struct gtr_update_options options_of(const char *text)
{
    struct gtr_update_options options = { .n_threads = 1, .device = { GTR_DEVICE_CPU, -1 } };

    CHECK(gtr_optimizer_parse(text, &options.optimizer, NULL) == GTR_OK);
    return options;
}

/* 1 to 5, by lot. */
static float size_of(uint64_t block, uint64_t step)
{
    uint64_t h = (block * 8 + step + 1) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (float)(1 + (h >> 33) % 5);
}

/* Two tensors in one group and one in another, whose blocks differ in size from each other, and
 * groups 0 and 1 with a short last block. */
static void make_run(struct u_run *run)
{
    static const size_t of_tensor[U_TENSORS] = { 0, 1, 0 };
    size_t t, k, i, p, g;

    memset(run, 0, sizeof *run);
    u_state = 11;
    run->n_tensors = 3;
    run->n_steps = 3;
    run->n_policies = 2;
    run->numel[0] = 80 * 1024 + 200;
    run->numel[1] = 64 * 1024 + 1000;
    run->numel[2] = 80 * 1024;
    memcpy(run->of_tensor, of_tensor, sizeof of_tensor);
    u_fill(run);
    for (t = 0; t < run->n_steps; t++) {
        run->captured[t] = true;
        for (k = 0; k < run->n_tensors; k++)
            for (i = 0; i < run->numel[k]; i++) {
                float *x = (float *)(void *)run->elements[t][k] + i;

                *x *= size_of(i / 1024 + 1000 * k, t);
            }
        for (p = 0; p < run->n_policies; p++)
            for (g = 0; g < U_GROUPS; g++)
                run->scale[p][g][t] = (double)(1 + (2 * p + g + t) % 3) / 4.0;
    }
}

static struct gtr_update *estimate(struct u_run *run, double fraction, int64_t seed,
                                   const char *optimizer)
{
    struct gtr_update_options options = options_of(optimizer);
    struct gtr_update *update = NULL;
    const char *path = scratch_path("sample.h5");
    struct gtr_err err = { 0 };

    run->sampling = (struct gtr_sample){ 1024, fraction, seed };
    u_write(run, path);
    CHECK(u_run_update(run, path, &options, &update, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    return update;
}

/* What errors are of: norm, change, cosine. */
static void derive(const struct gtr_update *update, size_t p, size_t g, size_t s, double out[3])
{
    const struct gtr_update_sums *sums =
        &update->sums[(p * update->n_groups + g) * update->n_rows + s];
    double plain = update->plain[g * update->n_rows + s];

    out[0] = sqrt(sums->update);
    out[1] = sqrt(sums->change / plain);
    out[2] = sums->along / sqrt(sums->update * plain);
}

/* Estimate minus truth over stated error: over many samples, mean 0 and spread 1. */
static void check_scores(const char *optimizer)
{
    struct u_run run;
    struct gtr_update *whole;
    double sum[2][3] = { { 0 } }, squares[2][3] = { { 0 } };
    size_t g, k;
    int64_t seed;

    make_run(&run);
    whole = estimate(&run, 0.0, 0, optimizer);
    run.sampling.fraction = 0.25;
    for (seed = 0; seed < SEEDS; seed++) {
        struct gtr_update *update = estimate(&run, 0.25, seed, optimizer);

        CHECK(update->errors != NULL && update->captured < update->elements / 3);
        for (g = 0; g < 2; g++) {
            const struct gtr_update_errors *e =
                &update->errors[(U_GROUPS + g) * update->n_rows + 2]; /* policy 1, last row */
            double of[3] = { e->norm, e->change, e->cosine }, truth[3], got[3];

            derive(whole, 1, g, 2, truth);
            derive(update, 1, g, 2, got);
            for (k = 0; k < 3; k++) {
                double z = (got[k] - truth[k]) / of[k];

                sum[g][k] += z;
                squares[g][k] += z * z;
            }
        }
        gtr_update_free(update);
    }
    for (g = 0; g < 2; g++)
        for (k = 0; k < 3; k++) {
            double mean = sum[g][k] / SEEDS, sd = sqrt(squares[g][k] / SEEDS - mean * mean);

            CHECK_NEAR(mean, 0.0, 0.35);
            CHECK_NEAR(sd, 0.95, 0.3);
            printf("%s: group %zu, %s: z has mean %.2f, sd %.2f\n", optimizer, g,
                   k == 0   ? "norm"
                   : k == 1 ? "change"
                            : "cosine",
                   mean, sd);
        }
    gtr_update_free(whole);
    u_free(&run);
}

static void errors_of_sgd_are_as_large_as_stated(void)
{
    check_scores("sgd:momentum=0.5");
}

static void errors_of_adamw_are_as_large_as_stated(void)
{
    check_scores("adamw:eps=1e-3");
}

static void a_sample_of_everything_is_exact(void)
{
    struct u_run run;
    struct gtr_update *whole, *all;
    size_t i;

    make_run(&run);
    whole = estimate(&run, 0.0, 0, "adamw");
    all = estimate(&run, 1.0, 3, "adamw");
    CHECK(whole->errors == NULL && all->errors != NULL && all->captured == all->elements);
    for (i = 0; i < 2 * U_GROUPS * whole->n_rows; i++) {
        CHECK_BITS(all->sums[i].update, whole->sums[i].update);
        CHECK_BITS(all->sums[i].change, whole->sums[i].change);
        CHECK_BITS(all->sums[i].along, whole->sums[i].along);
        CHECK_BITS(all->errors[i].norm, 0.0);
        CHECK_BITS(all->errors[i].change, 0.0);
        CHECK_BITS(all->errors[i].cosine, 0.0);
    }
    gtr_update_free(whole);
    gtr_update_free(all);
    u_free(&run);
}

static void without_clipping_a_sample_changes_nothing(void)
{
    struct u_run run;
    struct gtr_update *update;
    size_t s, t;

    make_run(&run);
    for (t = 0; t < 3; t++)
        run.scale[0][0][t] = 1.0;
    update = estimate(&run, 0.25, 3, "adamw");
    for (s = 0; s < 3; s++) {
        CHECK_BITS(update->errors[s].change, 0.0);
        CHECK_BITS(update->errors[s].cosine, 0.0);
        CHECK(update->errors[s].norm > 0.0);
        CHECK_BITS(update->sums[s].update, update->plain[s]);
    }
    gtr_update_free(update);
    u_free(&run);
}

/* Where everything comes out the same from any call, however it is cut. */
static void sums_of_a_sample_do_not_depend_on_threads_or_memory(void)
{
    static const size_t memory[] = { 1, 3 << 20 };
    struct gtr_update_options options = options_of("adamw");
    struct u_run run;
    struct gtr_update *wanted, *got = NULL;
    size_t i, j, n;

    make_run(&run);
    run.n_tensors = 1;
    wanted = estimate(&run, 0.75, 5, "adamw");
    options.n_threads = 3;
    n = 2 * U_GROUPS * wanted->n_rows;
    for (i = 0; i < 2; i++) {
        options.memory = memory[i];
        CHECK(u_run_update(&run, scratch_path("sample.h5"), &options, &got, NULL) == GTR_OK);
        for (j = 0; j < n; j++) {
            CHECK_BITS(got->sums[j].along, wanted->sums[j].along);
            CHECK_BITS(got->errors[j].norm, wanted->errors[j].norm);
            CHECK_BITS(got->errors[j].change, wanted->errors[j].change);
            CHECK_BITS(got->errors[j].cosine, wanted->errors[j].cosine);
        }
        gtr_update_free(got);
    }
    gtr_update_free(wanted);
    run.n_tensors = 3;
    u_free(&run);
}

static void add(struct gtr_update_spread *spread, double blocks, size_t kept, const double *u,
                const double *z)
{
    struct gtr_update_moments m = { 0 };
    struct gtr_update_sums sum = { 0 };
    double plain = 0.0, zz = 0.0;
    size_t i;

    for (i = 0; i < kept; i++) {
        struct gtr_update_sums block = { u[i], u[i], u[i] };

        gtr_update_moments_add(&m, &block, z[i]);
        sum.update += u[i];
        sum.change += u[i];
        sum.along += u[i];
        plain += z[i];
        zz += z[i] * z[i];
    }
    gtr_update_spread_add(spread,
                          &(struct gtr_update_portion){ blocks, (double)kept, 1024.0 * blocks,
                                                        1024.0 * (double)kept },
                          &sum, plain, &m, zz);
}

/* Two of four blocks, u = 1 and 3, z = 2 and 2.  U = 2 x 4 = 8, Z = 8.
 *   V(u, u) = 16 x 1/2 / 2 x (10 - 16/2) / 1 = 8, V(z, z) = V(u, z) = 0
 *   norm: 8 / (4 x 8) = 1/4 -> 1/2;  change = sqrt(U / Z): 8 / (4 x 8 x 8) = 1/32
 *   cosine = U / sqrt(U Z), w = u - u/2 - ...: (1/2)^2 x 8 / 64 = 1/32
 * With totals multiplied by 4 the norm's error is twice as large. */
static void errors_by_hand(void)
{
    static const double u[2] = { 1.0, 3.0 }, z[2] = { 2.0, 2.0 };
    const struct gtr_update_sums totals = { 8.0, 8.0, 8.0 }, times4 = { 32.0, 32.0, 32.0 };
    struct gtr_update_spread spread = { 0 };
    struct gtr_update_errors errors;

    add(&spread, 4.0, 2, u, z);
    gtr_update_spread_errors(&spread, 1.0, &totals, 8.0, &errors);
    CHECK_BITS(errors.norm, 0.5);
    CHECK_BITS(errors.change, sqrt(1.0 / 32.0));
    CHECK_BITS(errors.cosine, sqrt(1.0 / 32.0));
    gtr_update_spread_errors(&spread, 4.0, &times4, 32.0, &errors);
    CHECK_BITS(errors.norm, 1.0);
    CHECK_BITS(errors.change, sqrt(1.0 / 32.0));
    CHECK_BITS(errors.cosine, sqrt(1.0 / 32.0));
}

/* One block each of tensors of 2 and 6: t = 2 x 1 and 6 x 3, T = 20, shares 5 and 15:
 * e = -3 and 3, V = 2 x 18 = 36, U = 20. */
static void single_blocks_are_taken_together(void)
{
    static const double u[2] = { 1.0, 3.0 };
    const struct gtr_update_sums totals = { 20.0, 20.0, 20.0 };
    struct gtr_update_spread spread = { 0 };
    struct gtr_update_errors errors;

    add(&spread, 2.0, 1, u, u);
    gtr_update_spread_errors(&spread, 1.0, &totals, 20.0, &errors);
    CHECK(isnan(errors.norm) && isnan(errors.change) && isnan(errors.cosine));
    add(&spread, 6.0, 1, u + 1, u + 1);
    gtr_update_spread_errors(&spread, 1.0, &totals, 20.0, &errors);
    CHECK_BITS(errors.norm, sqrt(36.0 / 80.0));
    CHECK_BITS(errors.change, 0.0); /* u, c and z are all the same here */
    CHECK_BITS(errors.cosine, 0.0);
}

/* --- coverage --------------------------------------------------------------------------------- */

enum { BLOCKS = 100, DRAWS = 4000 };

/* One sample of `kept` blocks of u and z: is the truth within t standard errors? */
static bool is_covered(const double *u, const double *z, size_t kept, double truth, double t,
                       struct gtr_random *random)
{
    double drawn_u[BLOCKS], drawn_z[BLOCKS], sum = 0.0, plain = 0.0, scale;
    struct gtr_update_spread spread = { 0 };
    struct gtr_update_errors errors;
    struct gtr_update_sums totals;
    size_t n = 0, i;

    for (i = 0; i < BLOCKS && n < kept; i++)
        if (gtr_random_below(random, BLOCKS - i) < kept - n) {
            drawn_u[n] = u[i];
            drawn_z[n] = z[i];
            sum += u[i];
            plain += z[i];
            n++;
        }
    scale = BLOCKS / (double)kept;
    totals = (struct gtr_update_sums){ sum * scale, sum * scale, sum * scale };
    add(&spread, BLOCKS, kept, drawn_u, drawn_z);
    gtr_update_spread_errors(&spread, 1.0, &totals, plain * scale, &errors);
    CHECK_NEAR(errors.freedom, (double)kept - 1.0, 1e-9);
    return fabs(sqrt(sum / plain) - truth) <= t * errors.change;
}

/* Log-normal blocks: u_none^2 of deviation `uneven`, and a change of about a tenth of it.  Checks
 * that at least `least` of intervals by Student's t cover the truth, and fewer of 1.96 errors. */
static void check_coverage(double uneven, double noise, double least)
{
    static const size_t kept[] = { 3, 5, 9 };
    double u[BLOCKS], z[BLOCKS], sum = 0.0, plain = 0.0;
    struct gtr_random random;
    size_t i, k;

    gtr_random_init(&random, 5, 1);
    for (i = 0; i < BLOCKS; i++) {
        z[i] = exp(uneven * gtr_random_normal(&random));
        u[i] = 0.1 * z[i] * exp(noise * gtr_random_normal(&random));
        sum += u[i];
        plain += z[i];
    }
    for (k = 0; k < GTR_ARRAY_LEN(kept); k++) {
        double t = gtr_student_quantile(0.05, (int)kept[k] - 1), by_t = 0.0, by_normal = 0.0;

        for (i = 0; i < DRAWS; i++) {
            double truth = sqrt(sum / plain);
            struct gtr_random again = random;

            by_t += is_covered(u, z, kept[k], truth, t, &random) ? 1.0 / DRAWS : 0.0;
            by_normal += is_covered(u, z, kept[k], truth, 1.96, &again) ? 1.0 / DRAWS : 0.0;
        }
        printf("%zu of %d blocks of deviation %g: %.3f by t, %.3f by 1.96\n", kept[k], BLOCKS,
               uneven, by_t, by_normal);
        CHECK(by_t >= least && by_t <= 0.97);
        CHECK(by_normal < by_t - 0.03);
    }
}

static void intervals_of_few_blocks_cover_what_they_say(void)
{
    check_coverage(0.2, 0.3, 0.93);
}

/* Where few blocks have most of the energy and are seldom drawn, no spread among the others tells
 * of them. */
static void intervals_of_few_heavy_blocks_cover_more_than_normal_ones(void)
{
    check_coverage(1.0, 0.5, 0.85);
}

int main(void)
{
    RUN(errors_by_hand);
    RUN(single_blocks_are_taken_together);
    RUN(intervals_of_few_blocks_cover_what_they_say);
    RUN(intervals_of_few_heavy_blocks_cover_more_than_normal_ones);
    RUN(a_sample_of_everything_is_exact);
    RUN(without_clipping_a_sample_changes_nothing);
    RUN(sums_of_a_sample_do_not_depend_on_threads_or_memory);
    RUN(errors_of_sgd_are_as_large_as_stated);
    RUN(errors_of_adamw_are_as_large_as_stated);
    return check_report();
}
