/* bits.c - digests of everything that must come out the same from every build.
 *
 *     bits                       lanes, series, decisions, statistics and sums over made-up input
 *     bits golden TRACE...       rows of tests/golden/replay.csv
 *
 * One line for each part, so that a difference says where it is.  tests/bits.sh compares the
 * lines of several compilers and flags.  The input is made from integers by exact operations
 * only (shifts, conversions below 2^53, ldexp), so that it cannot differ itself.
 */
#define _XOPEN_SOURCE 700
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "gradtrace_lab.h"
#include "sumsq.h"

enum { WALK_STEPS = 3000, GROUPS = 7, TENSORS = 61 };

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "bits: %s: %s\n", what, why);
    exit(1);
}

/* Knuth's MMIX generator; the upper bits are the good ones. */
static uint64_t next_bits(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 11;
}

/* A log-normal walk: the exponent takes a step of -1, 0 or 1 sixteenth now and then, the mantissa
 * is uniform in [1, 2); one value in 64 is a spike.  Exact: 20-bit integers and powers of two. */
static void walk(uint64_t seed, double *values, size_t n)
{
    uint64_t state = seed;
    int level = 0;
    size_t t;

    for (t = 0; t < n; t++) {
        double mantissa = (double)((UINT64_C(1) << 20) + (next_bits(&state) >> 33));

        level += (int)(next_bits(&state) % 3) - 1;
        values[t] = ldexp(mantissa, level / 16 - 20);
        if (next_bits(&state) % 64 == 0)
            values[t] = ldexp(values[t], 14);
    }
}

/* --- lanes --------------------------------------------------------------------------------- */

struct input {
    const char *name;
    size_t n_steps;
    double *sumsq, *total, *progress;
    uint8_t *skip;
};

static struct input input_new(const char *name, size_t n_steps)
{
    struct input in = { .name = name, .n_steps = n_steps };
    size_t t;

    in.sumsq = gtr_alloc(n_steps, sizeof(double));
    in.total = gtr_alloc(n_steps, sizeof(double));
    in.progress = gtr_alloc(n_steps, sizeof(double));
    in.skip = gtr_alloc(n_steps, 1);
    if (in.sumsq == NULL || in.total == NULL || in.progress == NULL || in.skip == NULL)
        stop(name, "no memory");
    for (t = 0; t < n_steps; t++)
        in.progress[t] = (double)t / (double)n_steps;
    return in;
}

static void input_free(struct input *in)
{
    gtr_free(in->sumsq);
    gtr_free(in->total);
    gtr_free(in->progress);
    gtr_free(in->skip);
}

static struct input walk_input(void)
{
    struct input in = input_new("walk", WALK_STEPS);
    size_t t;

    walk(1, in.sumsq, in.n_steps);
    walk(2, in.total, in.n_steps);
    for (t = 0; t < in.n_steps; t++)
        in.total[t] = sqrt(in.sumsq[t] + in.total[t]);
    return in;
}

/* The ends of the range of doubles, in an order that makes averages of them. */
static struct input edge_input(void)
{
    static const double ends[] = {
        /* clang-format off */
        0.0, 0.0, 1.0, 4.9406564584124654e-324, DBL_MIN, DBL_MIN / 2, 1.0, 1e300, DBL_MAX / 2,
        DBL_MAX, 0.0, 1e-300, 1.0, 1.0 + DBL_EPSILON, 0.25, 1e-16, 1e16, 3.0, 1.0 / 3.0,
        /* clang-format on */
    };
    enum { N = sizeof ends / sizeof ends[0], ROUNDS = 12 };
    struct input in = input_new("edge", (size_t)N * ROUNDS);
    size_t t;

    for (t = 0; t < in.n_steps; t++) {
        double rest = ends[(t * 7 + t / N) % N];

        in.sumsq[t] = ends[(t + t / N * 5) % N];
        in.total[t] = sqrt(in.sumsq[t] / 2 + rest / 2);
        /* NaN where the step is skipped, and late in the trace where it is not. */
        in.skip[t] = t % 23 == 11;
        if (in.skip[t] || t == in.n_steps - 30)
            in.sumsq[t] = in.total[t] = (double)NAN;
    }
    return in;
}

static uint64_t lane_digest(enum gtr_policy_id id, const union gtr_params *params,
                            const struct input *in, uint64_t digest)
{
    struct gtr_lane_input from = { .sumsq = in->sumsq,
                                   .total = in->total,
                                   .progress = in->progress,
                                   .skip = in->skip,
                                   .n_steps = in->n_steps };
    double *out = gtr_alloc(3 * in->n_steps, sizeof *out);
    uint8_t *flags = gtr_alloc(in->n_steps, 1);
    struct gtr_lane_output to = { out, NULL, NULL, flags };
    size_t t;

    if (out == NULL || flags == NULL)
        stop(in->name, "no memory");
    to.upper = out + in->n_steps;
    to.scale = out + 2 * in->n_steps;
    gtr_lane_run(id, params, &from, &to);
    digest = gtr_digest_doubles(digest, out, 3 * in->n_steps);
    for (t = 0; t < in->n_steps; t++) {
        double flag = flags[t];

        digest = gtr_digest_doubles(digest, &flag, 1);
    }
    gtr_free(out);
    gtr_free(flags);
    return digest;
}

/* One parameter at a time at each of a few values of its range, the others as in `base`. */
static uint64_t around(enum gtr_policy_id id, const union gtr_params *base, const struct input *in,
                       uint64_t digest)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(id);
    size_t i, k;

    digest = lane_digest(id, base, in, digest);
    for (i = 0; i < policy->n_params; i++) {
        const struct gtr_param_spec *param = &policy->params[i];
        double last = param->max <= DBL_MAX ? param->max : 1e3;
        double tries[5] = { param->min, last, (param->min + last) / 2, param->standard * 0.75,
                            param->standard * 1.5 };

        for (k = 0; k < GTR_ARRAY_LEN(tries); k++) {
            union gtr_params params = *base;

            /* A choice has whole values only, and a bound is a bound. */
            if (param->choices != NULL)
                tries[k] = (double)(int)tries[k];
            if (tries[k] < param->min || tries[k] > param->max)
                continue;
            gtr_param_set(param, &params, tries[k]);
            digest = lane_digest(id, &params, in, digest);
        }
    }
    return digest;
}

static void print_lanes(const struct input *in)
{
    const struct gtr_preset *presets;
    const char *group = "g";
    size_t n_presets, i;

    for (i = 0; i < GTR_POLICY_COUNT; i++) {
        enum gtr_policy_id id = (enum gtr_policy_id)i;
        union gtr_params params;

        gtr_params_init(id, &params);
        printf("lane %s %s %016" PRIx64 "\n", in->name, gtr_policy_spec(id)->name,
               around(id, &params, in, GTR_DIGEST_START));
    }
    presets = gtr_presets(&n_presets);
    for (i = 0; i < n_presets; i++) {
        struct gtr_setting *setting = NULL;
        struct gtr_err err = { 0 };
        union gtr_params params;

        if (gtr_setting_parse(presets[i].name, &setting, &err) != GTR_OK ||
            gtr_setting_bind(setting, &group, 1, &params, &err) != GTR_OK)
            stop(presets[i].name, err.text);
        printf("lane %s %s %016" PRIx64 "\n", in->name, presets[i].name,
               around(presets[i].id, &params, in, GTR_DIGEST_START));
        gtr_setting_free(setting);
    }
}

/* --- a trace, its series, decisions and statistics ------------------------------------------ */

static void make_trace(const char *path)
{
    static const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    static double sumsq[WALK_STEPS * TENSORS];
    static float maxabs[TENSORS];
    static uint64_t nonfinite[TENSORS];
    struct gtr_err err = { 0 };
    struct gtr_writer *writer;
    struct gtr_head head;
    char name[64];
    size_t i, t;

    walk(3, sumsq, GTR_ARRAY_LEN(sumsq));
    if (gtr_head_init(&head, &err) != GTR_OK)
        stop(path, err.text);
    head.total_steps = WALK_STEPS;
    for (i = 0; i < TENSORS; i++) {
        snprintf(name, sizeof name, "layers.%zu.g%zu.weight", i / GROUPS, i % GROUPS);
        if (gtr_head_add_tensor(&head, name, "1", 1, GTR_F32, &err) != GTR_OK)
            stop(path, err.text);
    }
    if (gtr_writer_open(path, &head, &options, &writer, &err) != GTR_OK)
        stop(path, err.text);
    for (t = 0; t < WALK_STEPS; t++) {
        struct gtr_step step = { (int64_t)t, NAN, NAN, NAN, NAN, false, 0.0 };

        nonfinite[t % TENSORS] = t % 97 == 5;
        if (gtr_writer_append(writer, &step, sumsq + t * TENSORS, maxabs, nonfinite, NULL, &err) !=
            GTR_OK)
            stop(path, err.text);
        nonfinite[t % TENSORS] = 0;
    }
    if (gtr_writer_close(writer, &err) != GTR_OK)
        stop(path, err.text);
    gtr_head_free(&head);
}

struct run {
    struct gtr_trace *trace;
    struct gtr_groups *groups;
    struct gtr_series *series;
    struct gtr_replay *replay;
    struct gtr_norm_summary *norms;
};

static struct run run_open(const char *path, size_t n_threads)
{
    struct gtr_replay_options options = { .size = sizeof options,
                                          .n_threads = n_threads,
                                          .keep_interval = 1 };
    struct gtr_err err = { 0 };
    struct run run = { 0 };

    if (gtr_trace_open(path, &run.trace, &err) != GTR_OK ||
        gtr_groups_new(NULL, gtr_trace_head(run.trace), &run.groups, &err) != GTR_OK ||
        gtr_series_read(run.trace, run.groups, n_threads, &run.series, &err) != GTR_OK ||
        gtr_replay_new(run.series, &options, &run.replay, &err) != GTR_OK ||
        gtr_norm_summaries_new(run.replay, &run.norms, &err) != GTR_OK)
        stop(path, err.text);
    return run;
}

static void run_close(struct run *run)
{
    gtr_free(run->norms);
    gtr_replay_free(run->replay);
    gtr_series_free(run->series);
    gtr_groups_free(run->groups);
    gtr_trace_close(run->trace);
}

static struct gtr_decisions *decide(const struct run *run, const char *text)
{
    struct gtr_decisions *decisions = NULL;
    struct gtr_setting *setting = NULL;
    struct gtr_err err = { 0 };

    if (gtr_setting_parse(text, &setting, &err) != GTR_OK ||
        gtr_replay_run(run->replay, setting, &decisions, &err) != GTR_OK)
        stop(text, err.text);
    gtr_setting_free(setting);
    return decisions;
}

static uint64_t decisions_digest(const struct gtr_decisions *decisions)
{
    size_t n = decisions->n_groups * decisions->n_steps;
    uint64_t digest = GTR_DIGEST_START;

    digest = gtr_digest_doubles(digest, decisions->scale, n);
    digest = gtr_digest_doubles(digest, decisions->lower, n);
    return gtr_digest_doubles(digest, decisions->upper, n);
}

static uint64_t scaling_digest(uint64_t digest, const struct gtr_scaling *scaling)
{
    size_t column;

    for (column = 0; column < gtr_scaling_n_columns(); column++) {
        double value = gtr_scaling_column(scaling, column);

        digest = gtr_digest_doubles(digest, &value, 1);
    }
    return digest;
}

static uint64_t report_digest(const struct run *run, const struct gtr_decisions *decisions)
{
    uint64_t digest = GTR_DIGEST_START;
    struct gtr_scaling_report *report = NULL;
    struct gtr_err err = { 0 };
    size_t j;

    if (gtr_scaling_new(run->replay, decisions, run->norms, &report, &err) != GTR_OK)
        stop("scaling", err.text);
    for (j = 0; j < report->n_groups; j++)
        digest = scaling_digest(digest, &report->group[j]);
    digest = scaling_digest(digest, &report->pooled);
    digest = gtr_digest_doubles(digest, &report->cos_mean, 1);
    digest = gtr_digest_doubles(digest, &report->cos_min, 1);
    gtr_scaling_free(report);
    return digest;
}

/* What users compare; also what replay.csv pins down. */
static const char *const settings[] = {
    "none",       "global:max_norm=1",  "global:max_norm=1,eps=0,strict=on",
    "group",      "group:quantile=0.9", "aggc",
    "aggc-paper", "aggc-code-lora",     "aggc-code-grpo",
};

static void print_replay(const char *path, size_t n_threads)
{
    struct run run = run_open(path, n_threads);
    const struct gtr_series *series = run.series;
    uint64_t digest = GTR_DIGEST_START;
    size_t i;

    digest = gtr_digest_doubles(digest, series->sumsq, series->n_groups * series->n_steps);
    digest = gtr_digest_doubles(digest, series->total_sumsq, series->n_steps);
    digest = gtr_digest_doubles(digest, series->total, series->n_steps);
    printf("series threads=%zu %016" PRIx64 "\n", n_threads, digest);
    for (i = 0; i < GTR_ARRAY_LEN(settings); i++) {
        struct gtr_decisions *decisions = decide(&run, settings[i]);

        printf("replay threads=%zu %s %016" PRIx64 " scaling %016" PRIx64 "\n", n_threads,
               settings[i], decisions_digest(decisions), report_digest(&run, decisions));
        gtr_decisions_free(decisions);
    }
    run_close(&run);
}

static void print_golden(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct run run = run_open(path, 0);
    size_t i, k;

    for (i = 0; i < GTR_ARRAY_LEN(settings); i++) {
        struct gtr_decisions *decisions = decide(&run, settings[i]);
        size_t clipped = 0;

        for (k = 0; k < decisions->n_groups * decisions->n_steps; k++)
            clipped += decisions->scale[k] < 1.0;
        printf("%s,\"%s\",%zu,%016" PRIx64 "\n", slash != NULL ? slash + 1 : path, settings[i],
               clipped, decisions_digest(decisions));
        gtr_decisions_free(decisions);
    }
    run_close(&run);
}

/* --- sums over elements --------------------------------------------------------------------- */

/* Random bit patterns hold everything: subnormals, NaNs, infinities, both zeros. */
static void print_sums(void)
{
    enum { BYTES = 1 << 21 };
    static uint64_t bits[BYTES / 8];
    uint64_t state = 4;
    size_t i, threads, dtype;

    for (i = 0; i < GTR_ARRAY_LEN(bits); i++)
        bits[i] = next_bits(&state) << 32 ^ next_bits(&state);
    for (dtype = 0; dtype < GTR_DTYPE_COUNT; dtype++) {
        size_t size = gtr_dtype_size((enum gtr_dtype)dtype);
        uint64_t digest = GTR_DIGEST_START;

        for (threads = 1; threads <= 3; threads++) {
            for (i = 0; i <= 40; i++) {
                uint64_t n = i < 20 ? i * 103 : BYTES / size - i;
                struct gtr_reduction sum;
                double values[3];

                gtr_reduce((enum gtr_dtype)dtype, (const char *)bits + (i % 4) * size, n - n % 5,
                           threads, &sum);
                values[0] = sum.sumsq;
                values[1] = (double)sum.maxabs;
                values[2] = (double)sum.nonfinite;
                digest = gtr_digest_doubles(digest, values, 3);
            }
        }
        printf("sums %s %016" PRIx64 "\n", gtr_dtype_name((enum gtr_dtype)dtype), digest);
    }
}

int main(int argc, char **argv)
{
    struct input inputs[2];
    char folder[] = "/tmp/bits.XXXXXX", path[64];
    size_t i;

    if (argc >= 2 && strcmp(argv[1], "golden") == 0) {
        for (i = 2; i < (size_t)argc; i++)
            print_golden(argv[i]);
        return 0;
    }
    inputs[0] = walk_input();
    inputs[1] = edge_input();
    for (i = 0; i < 2; i++) {
        print_lanes(&inputs[i]);
        input_free(&inputs[i]);
    }
    if (mkdtemp(folder) == NULL)
        stop(folder, "cannot be made");
    snprintf(path, sizeof path, "%s/walk.h5", folder);
    make_trace(path);
    for (i = 1; i <= 3; i++)
        print_replay(path, i);
    remove(path);
    remove(folder);
    print_sums();
    return 0;
}
