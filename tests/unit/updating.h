/* updating.h - update replay of made-up traces, and the slow way to the same sums: whole arrays,
 * plain loops, recursion. */
#ifndef UPDATING_H
#define UPDATING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "groups.h"
#include "replay.h"
#include "scratch.h"
#include "trace.h"
#include "update.h"

enum { U_TENSORS = 7, U_STEPS = 9, U_POLICIES_MAX = 11, U_GROUPS = 3 };

static uint64_t u_state = 1;

static uint64_t u_random(void)
{
    u_state = u_state * 6364136223846793005u + 1442695040888963407u;
    return u_state >> 32;
}

static double u_uniform(void) /* in [-1, 1) */
{
    return (double)(int64_t)(u_random() - (UINT64_C(1) << 31)) * 0x1p-31;
}

/* A run, its decisions, and all captured elements in memory. */
struct u_run {
    size_t n_tensors, n_steps, n_policies;
    uint64_t numel[U_TENSORS];
    enum gtr_dtype dtype[U_TENSORS];
    size_t of_tensor[U_TENSORS];
    bool captured[U_STEPS], skipped[U_STEPS]; /* by the run itself */
    uint8_t nonfinite[U_STEPS];               /* skipped by the replay */
    double scale[U_POLICIES_MAX][U_GROUPS][U_STEPS];
    char *elements[U_STEPS][U_TENSORS];
    struct gtr_sample sampling; /* fraction 0: all */
};

/* The value of element i as stored, exactly. */
static inline float u_value(const struct u_run *run, size_t t, size_t tensor, size_t i)
{
    const char *p = run->elements[t][tensor] + i * gtr_dtype_size(run->dtype[tensor]);
    uint16_t h;
    uint32_t bits;
    float f;
    double d;

    switch (run->dtype[tensor]) {
    case GTR_F32:
        memcpy(&f, p, sizeof f);
        return f;
    case GTR_F64:
        memcpy(&d, p, sizeof d);
        return (float)d;
    case GTR_BF16:
        memcpy(&h, p, sizeof h);
        bits = (uint32_t)h << 16;
        memcpy(&f, &bits, sizeof f);
        return f;
    default:
        memcpy(&h, p, sizeof h);
        f = (float)ldexp((h & 0x3ff) + ((h & 0x7c00) ? 1024 : 0),
                         ((h & 0x7c00) ? (h >> 10 & 31) : 1) - 25);
        return h & 0x8000 ? -f : f;
    }
}

/* Small numbers of about the same size, some zeros, in any dtype. */
static inline void u_fill(struct u_run *run)
{
    size_t t, k, i;

    for (t = 0; t < run->n_steps; t++)
        for (k = 0; k < run->n_tensors; k++) {
            char *p = malloc(run->numel[k] * gtr_dtype_size(run->dtype[k]) + 1);

            run->elements[t][k] = p;
            for (i = 0; i < run->numel[k]; i++) {
                double d = u_random() % 16 == 0 ? 0.0 : u_uniform() * 1e-3;
                float f = (float)d;
                uint32_t bits;
                uint16_t h = (uint16_t)(u_random() & 0xafff); /* half: below 0.125 */

                memcpy(&bits, &f, sizeof bits);
                if (run->dtype[k] == GTR_BF16)
                    h = (uint16_t)(bits >> 16);
                if (run->dtype[k] == GTR_F32)
                    memcpy(p + 4 * i, &f, 4);
                else if (run->dtype[k] == GTR_F64)
                    memcpy(p + 8 * i, &d, 8);
                else
                    memcpy(p + 2 * i, &h, 2);
            }
        }
}

static inline void u_free(struct u_run *run)
{
    size_t t, k;

    for (t = 0; t < run->n_steps; t++)
        for (k = 0; k < run->n_tensors; k++)
            free(run->elements[t][k]);
}

/* --- the trace -------------------------------------------------------------------------------- */

/* What a sample keeps of the tensor, copied together. */
static inline const void *u_kept(const struct u_run *run, const char *name, size_t t, size_t k,
                                 char *copy)
{
    size_t size = gtr_dtype_size(run->dtype[k]), n_kept, b, used = 0;
    uint64_t *blocks;

    if (run->sampling.fraction == 0.0)
        return run->elements[t][k];
    CHECK(gtr_sample_blocks(&run->sampling, name, run->numel[k], &blocks, &n_kept, NULL) == GTR_OK);
    for (b = 0; b < n_kept; b++) {
        size_t from = (size_t)blocks[b] * 1024, n = (size_t)run->numel[k] - from;

        n = n < 1024 ? n : 1024;
        memcpy(copy + used, run->elements[t][k] + from * size, n * size);
        used += n * size;
    }
    gtr_free(blocks);
    return copy;
}

static inline void u_name(size_t k, char name[32])
{
    snprintf(name, 32, "layers.%zu.w", k);
}

static inline void u_write(const struct u_run *run, const char *path)
{
    struct gtr_writer_options options = { .size = sizeof options, .force = true, .elements = true };
    struct gtr_head head = { 0 };
    struct gtr_writer *writer = NULL;
    static const double sumsq[U_TENSORS];
    static const float maxabs[U_TENSORS];
    static const uint64_t nonfinite[U_TENSORS];
    struct gtr_err err = { 0 };
    size_t t, k, most = 1;
    char name[32], *copy;

    options.sampling = run->sampling;
    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    for (k = 0; k < run->n_tensors; k++) {
        u_name(k, name);
        CHECK(gtr_head_add_tensor(&head, name, "", run->numel[k], run->dtype[k], NULL) == GTR_OK);
        most = run->numel[k] > most ? (size_t)run->numel[k] : most;
    }
    copy = malloc(most * 8);
    CHECK(gtr_writer_open(path, &head, &options, &writer, &err) == GTR_OK);
    for (t = 0; t < run->n_steps; t++) {
        const struct gtr_step step = { .index = (int64_t)t, .skipped = run->skipped[t] };

        for (k = 0; run->captured[t] && k < run->n_tensors; k++) {
            u_name(k, name);
            CHECK(gtr_writer_elements(writer, k, u_kept(run, name, t, k, copy), &err) == GTR_OK);
        }
        CHECK(gtr_writer_append(writer, &step, sumsq, maxabs, nonfinite, NULL, &err) == GTR_OK);
    }
    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    gtr_head_free(&head);
    free(copy);
}

/* --- the replay ------------------------------------------------------------------------------- */

static inline enum gtr_code u_run_update(const struct u_run *run, const char *path,
                                         const struct gtr_update_options *options,
                                         struct gtr_update **update, struct gtr_err *err)
{
    static const struct gtr_replay_options as_is = { .size = sizeof as_is };
    struct gtr_decisions decisions[U_POLICIES_MAX];
    const struct gtr_decisions *pointers[U_POLICIES_MAX];
    int64_t index[U_STEPS];
    double zeros[U_GROUPS * U_STEPS] = { 0 }, *scales[U_POLICIES_MAX];
    uint8_t nonfinite[U_STEPS], no_flags[U_GROUPS * U_STEPS] = { 0 };
    struct gtr_series series = { .n_groups = U_GROUPS, .left_out = U_GROUPS };
    struct gtr_groups groups = { .n_groups = U_GROUPS, .n_tensors = run->n_tensors };
    struct gtr_trace *trace = NULL;
    struct gtr_replay *replay = NULL;
    size_t p, g, t;
    enum gtr_code rc;

    for (t = 0; t < run->n_steps; t++)
        index[t] = (int64_t)t;
    memcpy(nonfinite, run->nonfinite, sizeof nonfinite);
    series.n_steps = run->n_steps;
    series.index = index;
    series.sumsq = series.total_sumsq = series.total = zeros;
    series.nonfinite = nonfinite;
    groups.of_tensor = (size_t *)run->of_tensor;
    for (p = 0; p < run->n_policies; p++) {
        scales[p] = malloc(U_GROUPS * run->n_steps * sizeof(double));
        for (g = 0; g < U_GROUPS; g++)
            for (t = 0; t < run->n_steps; t++)
                scales[p][g * run->n_steps + t] = run->scale[p][g][t];
        decisions[p] = (struct gtr_decisions){
            .n_groups = U_GROUPS, .n_steps = run->n_steps, .scale = scales[p], .flags = no_flags
        };
        pointers[p] = &decisions[p];
    }
    CHECK(gtr_replay_new(&series, &as_is, &replay, NULL) == GTR_OK);
    rc = gtr_trace_open(path, &trace, err);
    CHECK(rc == GTR_OK);
    if (rc == GTR_OK)
        rc =
            gtr_update_run(trace, &groups, replay, pointers, run->n_policies, options, update, err);
    gtr_trace_close(trace);
    gtr_replay_free(replay);
    for (p = 0; p < run->n_policies; p++)
        free(scales[p]);
    return rc;
}

/* --- the slow way ----------------------------------------------------------------------------- */

/* Sums of blocks first .. first + n - 1 (n a power of two), as halves. */
static inline double u_tree(const double *blocks, size_t n_blocks, size_t first, size_t n)
{
    if (n == 1)
        return first < n_blocks ? blocks[first] : 0.0;
    return u_tree(blocks, n_blocks, first, n / 2) + u_tree(blocks, n_blocks, first + n / 2, n / 2);
}

/* Sum of a[i] b[i] over a tensor, in the canonical order. */
static inline double u_sum(const float *a, const float *b, size_t n)
{
    size_t n_blocks = (n + 1023) / 1024, wide = 1, k, l, j;
    double *blocks = calloc(n_blocks, sizeof *blocks), sum;

    for (k = 0; k < n_blocks; k++) {
        double lane[128] = { 0.0 };

        for (l = 0; l < 128; l++)
            for (j = k * 1024 + l; j < n && j < (k + 1) * 1024; j += 128)
                lane[l] += (double)a[j] * (double)b[j];
        for (j = 64; j > 0; j /= 2)
            for (l = 0; l < j; l++)
                lane[l] = lane[l] + lane[l + j];
        blocks[k] = lane[0];
    }
    while (wide < n_blocks)
        wide *= 2;
    sum = u_tree(blocks, n_blocks, 0, wide);
    free(blocks);
    return sum;
}

/* Updates of one tensor at all steps that count, [steps][numel]; policy -1: none. */
static inline float *u_updates(const struct u_run *run, const struct gtr_optimizer *o, int policy,
                               size_t k)
{
    size_t n = (size_t)run->numel[k], t, i;
    float *u = calloc(run->n_steps * n + 1, sizeof *u), *m = calloc(n + 1, sizeof *m);
    float *v = calloc(n + 1, sizeof *v);
    double power = 1.0, product = 1.0, mu, next, step = 0.0;

    for (t = 0; t < run->n_steps; t++) {
        float s = policy < 0 ? 1.0f : (float)run->scale[policy][run->of_tensor[k]][t];
        float b1 = (float)o->beta1, b2 = (float)o->beta2, f1 = (float)(1.0 - o->beta1);
        float f2 = (float)(1.0 - o->beta2), momentum = (float)o->momentum, root;

        if (!run->captured[t] || run->skipped[t] || run->nonfinite[t])
            continue;
        power *= o->beta2;
        root = (float)(1.0 / sqrt(1.0 - power));
        step += 1.0;
        mu = o->beta1 * (1.0 - 0.5 * pow(0.96, step * o->momentum_decay));
        next = o->beta1 * (1.0 - 0.5 * pow(0.96, (step + 1.0) * o->momentum_decay));
        product *= mu;
        for (i = 0; i < n; i++) {
            float g = s * u_value(run, t, k, i);

            if (o->id == GTR_ADAMW) {
                m[i] = b1 * m[i] + f1 * g;
                v[i] = b2 * v[i] + f2 * g * g;
                u[t * n + i] = m[i] / (sqrtf(v[i]) * root + (float)o->eps);
            } else if (o->id == GTR_NADAM) {
                m[i] = b1 * m[i] + f1 * g;
                v[i] = b2 * v[i] + f2 * g * g;
                u[t * n + i] = ((float)(next / (1.0 - product * next)) * m[i] +
                                (float)((1.0 - mu) / (1.0 - product)) * g) /
                               (sqrtf(v[i]) * root + (float)o->eps);
            } else if (o->id == GTR_LION) {
                float c = b1 * m[i] + f1 * g;

                u[t * n + i] = c > 0.0f ? 1.0f : c < 0.0f ? -1.0f : 0.0f;
                m[i] = b2 * m[i] + f2 * g;
            } else if (o->id == GTR_RMSPROP) {
                v[i] = b2 * v[i] + f2 * g * g;
                m[i] = momentum * m[i] + g / (sqrtf(v[i]) + (float)o->eps);
                u[t * n + i] = m[i];
            } else {
                m[i] = momentum * m[i] + g;
                u[t * n + i] = o->nesterov != 0.0 ? g + momentum * m[i] : m[i];
            }
        }
    }
    free(m);
    free(v);
    return u;
}

struct u_wanted {
    double plain[U_GROUPS][U_STEPS];
    struct gtr_update_sums sums[U_POLICIES_MAX][U_GROUPS][U_STEPS];
};

static inline void u_add_tensor(const struct u_run *run, const struct gtr_optimizer *o, size_t k,
                                struct u_wanted *wanted)
{
    size_t n = (size_t)run->numel[k], g = run->of_tensor[k], t, i;
    float *none = u_updates(run, o, -1, k), *d = calloc(n + 1, sizeof *d);
    int p;

    for (t = 0; t < run->n_steps; t++)
        wanted->plain[g][t] += u_sum(none + t * n, none + t * n, n);
    for (p = 0; p < (int)run->n_policies; p++) {
        float *u = u_updates(run, o, p, k);

        for (t = 0; t < run->n_steps; t++) {
            struct gtr_update_sums *sums = &wanted->sums[p][g][t];

            for (i = 0; i < n; i++)
                d[i] = u[t * n + i] - none[t * n + i];
            sums->update += u_sum(u + t * n, u + t * n, n);
            sums->change += u_sum(d, d, n);
            sums->along += u_sum(u + t * n, none + t * n, n);
        }
        free(u);
    }
    free(none);
    free(d);
}

static inline void u_slow(const struct u_run *run, const struct gtr_optimizer *o,
                          struct u_wanted *wanted)
{
    double power = 1.0;
    size_t k, t, g, p;

    memset(wanted, 0, sizeof *wanted);
    for (k = 0; k < run->n_tensors; k++)
        u_add_tensor(run, o, k, wanted);
    for (t = 0; t < run->n_steps; t++) {
        double factor = 1.0;

        if (!run->captured[t])
            continue;
        if (run->skipped[t] || run->nonfinite[t]) {
            factor = NAN;
        } else if (o->id == GTR_ADAMW) {
            power *= o->beta1;
            factor = 1.0 / (1.0 - power);
        }
        for (g = 0; g < U_GROUPS; g++) {
            wanted->plain[g][t] *= factor * factor;
            for (p = 0; p < run->n_policies; p++) {
                wanted->sums[p][g][t].update *= factor * factor;
                wanted->sums[p][g][t].change *= factor * factor;
                wanted->sums[p][g][t].along *= factor * factor;
            }
        }
    }
}

static inline void u_compare(const struct u_run *run, const struct gtr_update *got,
                             const struct u_wanted *wanted)
{
    size_t p, g, s;

    for (g = 0; g < U_GROUPS; g++)
        for (s = 0; s < got->n_rows; s++) {
            size_t t = (size_t)got->row[s];

            CHECK_BITS(got->plain[g * got->n_rows + s], wanted->plain[g][t]);
            for (p = 0; p < run->n_policies; p++) {
                const struct gtr_update_sums *sums =
                    &got->sums[(p * U_GROUPS + g) * got->n_rows + s];

                CHECK_BITS(sums->update, wanted->sums[p][g][t].update);
                CHECK_BITS(sums->change, wanted->sums[p][g][t].change);
                CHECK_BITS(sums->along, wanted->sums[p][g][t].along);
            }
        }
}

#endif
