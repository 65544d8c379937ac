/* simulate_elements.c - made-up elements whose norms are those of the simulated run, and what of
 * them is kept.
 *
 * Element e of a tensor at step t is norm(t) * d_e(t), where d(t) has norm 1 and turns slowly:
 *
 *     x_e(t) = 0.3 x_e(t-1) + sqrt(1 - 0.3^2) z_e(t)        z: mean 0, variance 1
 *     d_e(t) = s_e x_e(t) / |s x(t)|                         s_e: log-normal, the same at all steps
 *
 * so that elements are large and small for good, as Adam's second moment needs it, and consecutive
 * gradients of a tensor have a cosine near 0.3.  z is the sum of four 16-bit numbers of one draw,
 * shifted and scaled: close to a normal deviate, within 3.5 deviations, and exact.  Each tensor
 * draws from a stream of its own.  What is written is rounded to f32, and the recorded norms are
 * then reduced from that (sumsq.h): a trace agrees with its own elements to the bit.
 */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "exact.h"
#include "random.h"
#include "recorder.h"
#include "sample.h"
#include "simulate_private.h"
#include "trace.h"

/* Streams of the tensors, far above those of simulate_private.h. */
#define FIRST_STREAM (UINT64_C(1) << 32)

struct tensor {
    uint64_t numel;
    struct gtr_random random;
    double *x;        /* before the scales */
    double *scale;    /* s_e */
    uint64_t *blocks; /* kept; of a sample only */
    size_t n_blocks;
    bool begun;
};

struct gtr_made_elements {
    struct gtr_sample sample;
    struct tensor *tensors;
    size_t n_tensors;
    double *wide;  /* room for the largest tensor, as the next two */
    float *narrow; /* as recorded */
    float *kept;
};

struct gtr_sample gtr_simulation_sample(const struct gtr_simulation *simulation)
{
    if (simulation->elements != GTR_ELEMENTS_BLOCKS)
        return (struct gtr_sample){ 0 };
    return (struct gtr_sample){ GTR_SAMPLE_BLOCK, simulation->fraction, simulation->seed };
}

/* --- what would be too large ------------------------------------------------------------------ */

static double gigabytes(double bytes)
{
    return bytes / 1e9;
}

static enum gtr_code check_size(const struct gtr_simulation *simulation,
                                const struct gtr_head *head, struct gtr_err *err)
{
    const struct gtr_sample sample = gtr_simulation_sample(simulation);
    double most = simulation->elements_limit, file = 0.0, memory = 0.0;
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        uint64_t numel = head->tensors[i].numel, kept = numel;

        if (sample.fraction != 0.0)
            rc = gtr_sample_check(&sample, numel, err);
        if (rc == GTR_OK && sample.fraction != 0.0)
            kept = gtr_sample_numel(&sample, head->tensors[i].name, numel);
        file += (double)kept * sizeof(float) * (double)simulation->n_steps;
        memory += (double)numel * 2 * sizeof(double);
    }
    if (rc == GTR_OK && (file > most || memory > most))
        rc = gtr_fail(err, GTR_EUSAGE,
                      "elements of %lld steps of %s: %.3g GB of file and %.3g GB of memory, above "
                      "the limit of %.3g GB; use the layout tiny, fewer steps, blocks:1/64, or "
                      "raise --elements-limit",
                      (long long)simulation->n_steps, simulation->layout->name, gigabytes(file),
                      gigabytes(memory), gigabytes(most));
    return rc;
}

/* --- the state -------------------------------------------------------------------------------- */

static enum gtr_code tensor_init(struct gtr_made_elements *made,
                                 const struct gtr_simulation *simulation,
                                 const struct gtr_tensor *about, size_t i, struct gtr_err *err)
{
    struct tensor *tensor = &made->tensors[i];
    enum gtr_code rc;
    uint64_t e;

    tensor->numel = about->numel;
    gtr_random_init(&tensor->random, (uint64_t)simulation->seed, FIRST_STREAM + i);
    rc = gtr_alloc_for(&tensor->x, about->numel, sizeof(double), "elements", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&tensor->scale, about->numel, sizeof(double), "elements", err);
    for (e = 0; rc == GTR_OK && e < about->numel; e++)
        tensor->scale[e] = gtr_exp(GTR_ELEMENTS_UNEVEN * gtr_random_normal(&tensor->random));
    if (rc == GTR_OK && made->sample.fraction != 0.0)
        rc = gtr_sample_blocks(&made->sample, about->name, about->numel, &tensor->blocks,
                               &tensor->n_blocks, err);
    return rc;
}

enum gtr_code gtr_made_elements_new(const struct gtr_simulation *simulation, struct gtr_head *head,
                                    struct gtr_made_elements **out, struct gtr_err *err)
{
    struct gtr_made_elements *made = NULL;
    uint64_t most = 0;
    enum gtr_code rc;
    size_t i;

    *out = NULL;
    if (simulation->elements == GTR_ELEMENTS_NONE)
        return GTR_OK;
    rc = check_size(simulation, head, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&made, 1, sizeof *made, "elements", err);
    if (rc != GTR_OK)
        return rc;
    made->sample = gtr_simulation_sample(simulation);
    made->n_tensors = head->n_tensors;
    rc = gtr_alloc_for(&made->tensors, head->n_tensors, sizeof *made->tensors, "tensors", err);
    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        head->tensors[i].dtype = GTR_F32;
        most = head->tensors[i].numel > most ? head->tensors[i].numel : most;
        rc = tensor_init(made, simulation, &head->tensors[i], i, err);
    }
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&made->wide, most, sizeof(double), "elements", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&made->narrow, most, sizeof(float), "elements", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&made->kept, most, sizeof(float), "elements", err);
    if (rc != GTR_OK) {
        gtr_made_elements_free(made);
        return rc;
    }
    *out = made;
    return GTR_OK;
}

void gtr_made_elements_free(struct gtr_made_elements *made)
{
    size_t i;

    if (made == NULL)
        return;
    for (i = 0; made->tensors != NULL && i < made->n_tensors; i++) {
        gtr_free(made->tensors[i].x);
        gtr_free(made->tensors[i].scale);
        gtr_free(made->tensors[i].blocks);
    }
    gtr_free(made->tensors);
    gtr_free(made->wide);
    gtr_free(made->narrow);
    gtr_free(made->kept);
    gtr_free(made);
}

/* --- one step --------------------------------------------------------------------------------- */

/* Four numbers of 0 .. 65535 have the mean 4 * 32767.5 and the variance 4 * (2^32 - 1) / 12. */
static double deviate(struct gtr_random *random, double over_deviation)
{
    uint64_t bits = gtr_random_bits(random);
    int64_t sum =
        (int64_t)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));

    return (double)(sum - 131070) * over_deviation;
}

/* x(t) from x(t - 1), and s * x(t) into `wide`. */
static void turn(struct tensor *tensor, double *wide)
{
    double memory = tensor->begun ? GTR_ELEMENTS_MEMORY : 0.0;
    double new_share = sqrt(1.0 - memory * memory), over_deviation = sqrt(3.0 / 4294967295.0);
    uint64_t e;

    for (e = 0; e < tensor->numel; e++) {
        double z = deviate(&tensor->random, over_deviation);

        tensor->x[e] = memory * tensor->x[e] + new_share * z;
        wide[e] = tensor->scale[e] * tensor->x[e];
    }
    tensor->begun = true;
}

static const float *keep(struct gtr_made_elements *made, const struct tensor *tensor)
{
    size_t block = (size_t)made->sample.block, at = 0, i;

    if (tensor->blocks == NULL)
        return made->narrow;
    for (i = 0; i < tensor->n_blocks; i++) {
        size_t first = tensor->blocks[i] * block;
        size_t n = tensor->numel - first < block ? tensor->numel - first : block;

        memcpy(made->kept + at, made->narrow + first, n * sizeof *made->kept);
        at += n;
    }
    return made->kept;
}

enum gtr_code gtr_made_elements_next(struct gtr_made_elements *made, size_t i, double sumsq,
                                     struct gtr_writer *writer, struct gtr_reduction *reduced,
                                     struct gtr_err *err)
{
    struct tensor *tensor = &made->tensors[i];
    struct gtr_reduction before;
    double factor;
    uint64_t e;

    turn(tensor, made->wide);
    gtr_reduce(GTR_F64, made->wide, tensor->numel, 1, &before);
    factor = before.sumsq > 0.0 ? sqrt(sumsq / before.sumsq) : 0.0;
    for (e = 0; e < tensor->numel; e++)
        made->narrow[e] = (float)(made->wide[e] * factor) + 0.0f; /* no gradient: 0, never -0 */
    gtr_reduce(GTR_F32, made->narrow, tensor->numel, 1, reduced);
    return gtr_writer_elements(writer, i, keep(made, tensor), err);
}
