/* test_sweep.c - the vector kernels against the scalar path, and that against the replay's own
 * statistics and a slow way with the C library's logarithm. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc.h"
#include "baseline.h"
#include "catalogue.h"
#include "check.h"
#include "random_settings.h"
#include "replaying.h"
#include "sweep_block.h"
#include "wide.h"

enum { G = 5, T = 160, SETTINGS = 45 };

/* --- series ----------------------------------------------------------------------------------- */

enum kind { SMOOTH, SPIKES, ZEROS, EDGES, KINDS };

static double energy_of(enum kind kind, size_t t, size_t j)
{
    double norm = (0.5 + uniform()) * (double)(j + 1);

    if (kind == ZEROS && (t < 20 || next_random() % 3 == 0))
        return 0.0;
    if (kind == EDGES && next_random() % 2 == 0)
        return ONE_OF(0.0, 5e-324, 1e-310, 2.3e-308, 1e-300, 1e-24, 1.0, 1e24, 1e300, 2e307);
    if (kind >= SPIKES && next_random() % 16 == 0)
        norm *= 50.0;
    return norm * norm;
}

/* left_out: G for none.  `bad`: some steps are not finite. */
static struct gtr_series *make_series(enum kind kind, size_t left_out, int bad)
{
    struct gtr_series *series = gtr_alloc(1, sizeof *series);
    size_t j, t;

    series->n_groups = G;
    series->n_steps = T;
    series->left_out = left_out;
    series->names = gtr_alloc(G, sizeof *series->names);
    series->index = gtr_alloc(T, sizeof *series->index);
    series->sumsq = gtr_alloc(G * T, sizeof(double));
    series->total_sumsq = gtr_alloc(T, sizeof(double));
    series->total = gtr_alloc(T, sizeof(double));
    series->nonfinite = gtr_alloc(T, 1);
    series->group_nonfinite = bad ? gtr_alloc(G * T, 1) : NULL;
    series->total_steps = T;
    series->loss = gtr_alloc(T, sizeof(double));
    series->numel = gtr_alloc(G, sizeof(double));
    series->maxabs = gtr_alloc((G + 1) * T, sizeof(double));
    series->weight = gtr_alloc(G * T, sizeof(double));
    for (j = 0; j < G; j++) {
        const char name[] = { (char)('a' + j), '\0' };

        series->names[j] = gtr_strdup(j == left_out ? "-" : name);
    }
    for (t = 0; t < T; t++) {
        series->index[t] = (int64_t)t;
        for (j = 0; j < G; j++) {
            series->sumsq[j * T + t] = energy_of(kind, t, j);
            series->total_sumsq[t] += series->sumsq[j * T + t];
        }
        series->total[t] = sqrt(series->total_sumsq[t]);
        series->loss[t] = 2.0 + uniform();
        for (j = 0; j < G; j++) {
            series->numel[j] = (double)(j + 1) * 3.0;
            series->maxabs[j * T + t] = sqrt(series->sumsq[j * T + t]) * uniform();
            series->weight[j * T + t] = next_random() % 8 ? 4.0 * uniform() : 0.0;
            if (series->maxabs[j * T + t] > series->maxabs[G * T + t])
                series->maxabs[G * T + t] = series->maxabs[j * T + t];
        }
        if (bad && (t == 0 || t % 23 == 7)) {
            series->nonfinite[t] = series->group_nonfinite[next_random() % G * T + t] =
                next_random() % 2 ? GTR_IS_NAN : GTR_IS_INFINITE;
            series->n_nonfinite++;
        }
    }
    return series;
}

/* All that a sweep reads, made from a series that it takes. */
struct world {
    struct gtr_series *series;
    struct gtr_replay *replay;
    struct gtr_baseline *baseline;
    struct gtr_sweep_rows *rows;
    struct gtr_sweep_space space;
};

static struct world world_of(struct gtr_series *series, const struct gtr_replay_options *options)
{
    struct world w = { .series = series };
    struct gtr_baseline_options about;

    gtr_baseline_options_init(&about);
    CHECK(gtr_replay_new(series, options, &w.replay, NULL) == GTR_OK);
    CHECK(gtr_baseline_new(series, gtr_replay_skip(w.replay), &about, &w.baseline, NULL) == GTR_OK);
    CHECK(gtr_sweep_rows_new(w.replay, w.baseline, &w.rows, NULL) == GTR_OK);
    CHECK(gtr_sweep_space_init(&w.space, G, NULL) == GTR_OK);
    return w;
}

static void world_free(struct world *w)
{
    gtr_sweep_space_free(&w->space);
    gtr_sweep_rows_free(w->rows);
    gtr_baseline_free(w->baseline);
    gtr_replay_free(w->replay);
    gtr_series_free(w->series);
}

/* --- kernels ---------------------------------------------------------------------------------- */

static void settings_of(enum gtr_policy_id policy, int plain, int each, union gtr_params *params)
{
    size_t i, j;

    short_schedules = next_random() % 2 == 0;
    for (i = 0; i < SETTINGS; i++) {
        random_params(policy, plain, &params[i * G]);
        for (j = 1; j < G; j++) {
            params[i * G + j] = params[i * G];
            if (each && (gtr_policy_unit(policy) != GTR_WHOLE || gtr_policy_spec(policy)->by_group))
                random_params(policy, plain, &params[i * G + j]);
        }
    }
}

static void run_blocks(struct world *w, enum gtr_policy_id policy, const union gtr_params *params,
                       int scales_only, enum gtr_sweep_kernel kernel, double *out)
{
    size_t i;

    for (i = 0; i < SETTINGS; i += GTR_SWEEP_LANES) {
        size_t n = SETTINGS - i < GTR_SWEEP_LANES ? SETTINGS - i : GTR_SWEEP_LANES;

        gtr_sweep_block(w->rows, policy, params + i * G, n, scales_only, kernel, &w->space,
                        out + i * GTR_OBJECTIVE_COUNT);
    }
}

/* One kind of setting through every kernel; returns the objectives that are numbers. */
static size_t compare_kernels(struct world *w, enum gtr_policy_id policy, int plain, int each,
                              int scales_only)
{
    static union gtr_params params[SETTINGS * G];
    static double wanted[SETTINGS * GTR_OBJECTIVE_COUNT], got[SETTINGS * GTR_OBJECTIVE_COUNT];
    size_t i, numbers = 0;
    int kernel;

    settings_of(policy, plain, each, params);
    run_blocks(w, policy, params, scales_only, GTR_SWEEP_SCALAR, wanted);
    for (i = 0; i < SETTINGS * GTR_OBJECTIVE_COUNT; i++)
        numbers += isnan(wanted[i]) ? 0u : 1u;
    for (kernel = GTR_SWEEP_AUTO; kernel <= GTR_SWEEP_AVX512; kernel++) {
        if (kernel > GTR_SWEEP_SCALAR && gtr_wide_find((enum gtr_sweep_kernel)kernel) == NULL)
            continue;
        memset(got, 0x55, sizeof got);
        run_blocks(w, policy, params, scales_only, (enum gtr_sweep_kernel)kernel, got);
        for (i = 0; i < SETTINGS * GTR_OBJECTIVE_COUNT && check_failures < 8; i++) {
            int before = check_failures;

            CHECK_BITS(got[i], wanted[i]);
            if (check_failures > before)
                printf("  kernel %d, policy %d, plain %d, each %d: setting %zu, %zu\n", kernel,
                       (int)policy, plain, each, i / GTR_OBJECTIVE_COUNT, i % GTR_OBJECTIVE_COUNT);
        }
    }
    return numbers;
}

static void compare_policies(struct world *w)
{
    size_t k, numbers = 0;
    int way;

    for (k = 0; k < GTR_POLICY_COUNT; k++)
        for (way = 0; way < 8; way++)
            numbers += compare_kernels(w, (enum gtr_policy_id)k, way & 1, way >> 1 & 1, way >> 2);
    CHECK(numbers > (size_t)(GTR_POLICY_COUNT * 8 * SETTINGS) * 5);
}

static void every_kernel_gives_the_bits_of_the_scalar_path(void)
{
    int kind, bad, round;

    for (round = 0; round < 4; round++)
        for (kind = SMOOTH; kind < KINDS; kind++)
            for (bad = 0; bad < 3; bad++) {
                const struct gtr_replay_options options = { .size = sizeof options,
                                                            .nonfinite = bad == 2 ? GTR_PROPAGATE
                                                                                  : GTR_SKIP_STEP };
                size_t left_out = round % 2 ? G : (size_t)round;
                struct world w = world_of(make_series((enum kind)kind, left_out, bad), &options);

                compare_policies(&w);
                world_free(&w);
            }
}

/* --- meanings --------------------------------------------------------------------------------- */

static const char *const texts[] = {
    "none",
    "global:max_norm=4",
    "group:max_norm=2",
    "aggc-paper",
    "aggc-code-lora",
    "aggc-code-grpo",
    "aggc:form=code",
    "aggc:form=fixed,raise=on,min_norm=1,max_norm=3",
    "global:max_norm=6,eps=0,strict=on",
    "group:max_norm=1,b=4,max_norm@c=0.5",
    "zclip:warmup=5",
    "autoclip:percentile=60",
    "adagc:warmup=3",
    "adagc-global:warmup=3",
    "olmo",
    "skipstep:window=8,sigmas=1",
    "levanter-skip:window=8,sigmas=1",
    "llmc:window=8,z_norm=1,z_loss=1.5",
    "agc",
    "rms:threshold=0.5",
    "trellis:window=6",
    "emaclip:above=1.2",
    "sigma:sigmas=1",
    "levanter-clip:window=8,sigmas=1",
    "stablespam:gap=9",
    "torch-inf:max_norm=0.5,skip_above=4",
};

static void the_scalar_path_agrees_with_the_replay(void)
{
    int kind, bad;
    size_t k;

    for (kind = SMOOTH; kind < EDGES; kind++)
        for (bad = 0; bad < 2; bad++) {
            const struct gtr_replay_options options = { .size = sizeof options };
            struct world w =
                world_of(make_series((enum kind)kind, kind == SPIKES ? 3 : G, bad), &options);

            for (k = 0; k < GTR_ARRAY_LEN(texts); k++) {
                struct gtr_scaling_report *report = NULL;
                struct gtr_decisions *d = run_text(w.series, texts[k], &options, &report);
                const struct gtr_scaling *pooled = &report->pooled;
                double n = (double)pooled->n_decisions, o[GTR_OBJECTIVE_COUNT];
                double wide[GTR_OBJECTIVE_COUNT];
                size_t i;

                CHECK(gtr_sweep_one(w.replay, w.baseline, d->policy, d->params, 0, o, NULL) ==
                      GTR_OK);
                CHECK_BITS(o[GTR_CLIP_RATE], (double)pooled->n_clipped / n);
                CHECK_BITS(o[GTR_RAISE_RATE], (double)pooled->n_raised / n);
                CHECK_BITS(o[GTR_SATURATION], (double)pooled->n_capped / n);
                CHECK_BITS(o[GTR_EMPTY_RATE], (double)pooled->n_empty / n);
                CHECK_BITS(o[GTR_SKIP_RATE], (double)pooled->n_left_out / n);
                CHECK_BITS(o[GTR_SCALE_MEAN], pooled->mean);
                CHECK_BITS(o[GTR_SCALE_MIN], pooled->min);
                CHECK_BITS(o[GTR_SCALE_MAX], pooled->max);
                CHECK_BITS(o[GTR_DISTORTION], 1.0 - report->cos_mean);
                if (d->policy != GTR_GLOBAL)
                    CHECK_BITS(o[GTR_SPILL], 0.0);
                gtr_sweep_block(w.rows, d->policy, d->params, 1, 0, GTR_SWEEP_AUTO, &w.space, wide);
                for (i = 0; i < GTR_OBJECTIVE_COUNT; i++)
                    CHECK_BITS(wide[i], o[i]);
                gtr_scaling_free(report);
                gtr_decisions_free(d);
            }
            world_free(&w);
        }
}

/* Volatility, leak and attenuation from all decisions, with log of the C library. */
struct slow {
    double attenuation, volatility, leak, spikes;
};

static struct slow slow_way(const struct world *w, const struct gtr_decisions *d)
{
    static double ratios[G * T];
    struct slow s = { 0 };
    double n = 0.0, mean = 0.0;
    size_t based = 0, j, t, i;

    for (j = 0; j < G; j++)
        for (t = 0; t < T; t++) {
            double ratio = w->baseline->log_ratio[j * T + t], scale = d->scale[j * T + t];

            if (j == w->series->left_out)
                continue;
            /* A step that the policy leaves out lets no spike through, and says no more. */
            if (d->flags[j * T + t] & GTR_FLAG_SKIPPED)
                s.spikes += ratio > log(1.5) ? 1.0 : 0.0;
            if (isnan(scale))
                continue;
            n += 1.0;
            s.attenuation -= log(scale);
            if (isnan(ratio))
                continue;
            ratios[based++] = log(scale) + ratio;
            if (ratio > log(1.5)) {
                s.spikes += 1.0;
                s.leak += fmax(0.0, log(scale) + ratio - log(1.5));
            }
        }
    for (i = 0; i < based; i++)
        mean += ratios[i] / (double)based;
    for (i = 0; i < based; i++)
        s.volatility += (ratios[i] - mean) * (ratios[i] - mean) / (double)based;
    s.volatility = sqrt(s.volatility);
    s.attenuation /= n;
    s.leak = s.spikes > 0.0 ? s.leak / s.spikes : 0.0;
    return s;
}

static void logarithms_agree_with_a_slow_way(void)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct world w = world_of(make_series(SPIKES, 3, 1), &options);
    size_t k;

    for (k = 0; k < GTR_ARRAY_LEN(texts); k++) {
        struct gtr_decisions *d = run_text(w.series, texts[k], &options, NULL);
        struct slow slow = slow_way(&w, d);
        double o[GTR_OBJECTIVE_COUNT];

        CHECK(gtr_sweep_one(w.replay, w.baseline, d->policy, d->params, 0, o, NULL) == GTR_OK);
        CHECK(slow.spikes > 5.0);
        CHECK_NEAR(o[GTR_ATTENUATION], slow.attenuation, 1e-12);
        CHECK_NEAR(o[GTR_VOLATILITY], slow.volatility, 1e-10);
        CHECK_NEAR(o[GTR_LEAK], slow.leak, 1e-12);
        gtr_decisions_free(d);
    }
    world_free(&w);
}

/* Every group has norm 1; at step 100 the first has 30. */
static struct gtr_series *one_spike(double others)
{
    struct gtr_series *series = make_series(SMOOTH, G, 0);
    size_t j, t;

    for (t = 0; t < T; t++) {
        series->total_sumsq[t] = 0.0;
        for (j = 0; j < G; j++) {
            double norm = t != 100 ? 1.0 : j == 0 ? 30.0 : others;

            series->sumsq[j * T + t] = norm * norm;
            series->total_sumsq[t] += norm * norm;
        }
        series->total[t] = sqrt(series->total_sumsq[t]);
    }
    return series;
}

/* The spike's group is one of G: the others are bystanders. */
static void spill_is_what_bystanders_lose_beyond_the_fair_part(void)
{
    static const double limits[] = { 1.0, 2.0, 3.0, 100.0 };
    const struct gtr_replay_options options = { .size = sizeof options };
    struct world w = world_of(one_spike(1.0), &options);
    size_t k;

    for (k = 0; k < GTR_ARRAY_LEN(limits); k++) {
        double limit = limits[k], square = limit * limit, o[GTR_OBJECTIVE_COUNT];
        double usual = fmax(0.0, 0.5 * log(G / square));
        double all = fmax(0.0, 0.5 * log((900.0 + G - 1) / square));
        double fair = fmax(0.0, 0.5 * log((2.25 + G - 1) / square));
        double sum = (T - 1) * usual + all;
        union gtr_params params[G];
        size_t j;

        gtr_params_init(GTR_GLOBAL, &params[0]);
        params[0].global.max_norm = limit;
        for (j = 1; j < G; j++)
            params[j] = params[0];
        CHECK(gtr_sweep_one(w.replay, w.baseline, GTR_GLOBAL, params, 0, o, NULL) == GTR_OK);
        CHECK_NEAR(o[GTR_SPILL], sum > 0.0 ? (all - fair) * (G - 1) / G / sum : 0.0, 1e-13);
        CHECK_BITS(o[GTR_DISTORTION], 0.0);
    }
    world_free(&w);
}

static void nothing_spills_where_nobody_exceeds_his_past(void)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_series *series = make_series(SMOOTH, G, 0);
    struct world w;
    union gtr_params params[G];
    double o[GTR_OBJECTIVE_COUNT];
    size_t j, t;

    /* Sums in any other order than by groups differ in their last bits. */
    for (t = 0; t < T; t++) {
        series->total_sumsq[t] = 0.0;
        for (j = 0; j < G; j++)
            series->sumsq[j * T + t] = (double)(j + 1) * (1.1 + uniform() / 16.0);
        for (j = G; j-- > 0;)
            series->total_sumsq[t] += series->sumsq[j * T + t];
        series->total[t] = sqrt(series->total_sumsq[t]);
    }
    w = world_of(series, &options);
    for (j = 0; j < G; j++) {
        gtr_params_init(GTR_GLOBAL, &params[j]);
        params[j].global.max_norm = 2.0;
    }
    CHECK(gtr_sweep_one(w.replay, w.baseline, GTR_GLOBAL, params, 0, o, NULL) == GTR_OK);
    CHECK(o[GTR_CLIP_RATE] == 1.0);
    CHECK_BITS(o[GTR_SPILL], 0.0);
    world_free(&w);
}

static void without_memory_a_sweep_says_so(void)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct world w = world_of(make_series(SMOOTH, G, 0), &options);
    union gtr_params params[G];
    double o[GTR_OBJECTIVE_COUNT];
    struct gtr_err err = { 0 };
    size_t n, j;
    enum gtr_code rc = GTR_ENOMEM;

    for (j = 0; j < G; j++)
        gtr_params_init(GTR_AGGC, &params[j]);
    for (n = 1; n < 32 && rc != GTR_OK; n++) {
        gtr_alloc_fail_after(n);
        rc = gtr_sweep_one(w.replay, w.baseline, GTR_AGGC, params, 0, o, &err);
        gtr_alloc_fail_after(0);
        if (rc != GTR_OK)
            CHECK_HOLDS(err.text, "no memory");
    }
    CHECK(rc == GTR_OK && n > 6);
    world_free(&w);
}

int main(void)
{
    RUN(every_kernel_gives_the_bits_of_the_scalar_path);
    RUN(the_scalar_path_agrees_with_the_replay);
    RUN(logarithms_agree_with_a_slow_way);
    RUN(spill_is_what_bystanders_lose_beyond_the_fair_part);
    RUN(nothing_spills_where_nobody_exceeds_his_past);
    RUN(without_memory_a_sweep_says_so);
    return check_report();
}
