/* make_big_trace.c - a trace as large as a long run's: norms only, of 448 tensors.
 *
 * Seven modules in each of 64 layers, with the names and shapes of a Llama model.  Each tensor's
 * log energy is a first-order autoregression around a level of its own, so norms wander like real
 * ones; equal arguments give equal numbers.
 *
 *     make_big_trace FILE [STEPS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtrace_lab.h"

enum { N_LAYERS = 64, N_MODULES = 7, N_TENSORS = N_LAYERS * N_MODULES };

static const struct {
    const char *name, *shape;
    uint64_t numel;
} modules[N_MODULES] = {
    { "self_attn.q_proj", "4096x4096", UINT64_C(4096) * 4096 },
    { "self_attn.k_proj", "4096x4096", UINT64_C(4096) * 4096 },
    { "self_attn.v_proj", "4096x4096", UINT64_C(4096) * 4096 },
    { "self_attn.o_proj", "4096x4096", UINT64_C(4096) * 4096 },
    { "mlp.gate_proj", "11008x4096", UINT64_C(11008) * 4096 },
    { "mlp.up_proj", "11008x4096", UINT64_C(11008) * 4096 },
    { "mlp.down_proj", "4096x11008", UINT64_C(4096) * 11008 },
};

static uint64_t random_state = 88172645463325252;

/* Near enough to a normal deviate: the sum of four uniform ones. */
static double deviate(void)
{
    double sum = 0.0;
    int i;

    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    for (i = 0; i < 64; i += 16)
        sum += (double)(random_state >> i & 0xffff);
    return (sum - 131070.0) / 37837.0; /* standard deviation 65536 / sqrt(3) */
}

static enum gtr_code make_head(struct gtr_head *head, int64_t n_steps, struct gtr_err *err)
{
    enum gtr_code rc = gtr_head_init(head, err);
    int layer, module;

    head->total_steps = n_steps;
    for (layer = 0; rc == GTR_OK && layer < N_LAYERS; layer++) {
        for (module = 0; rc == GTR_OK && module < N_MODULES; module++) {
            char name[80];

            snprintf(name, sizeof name, "model.layers.%d.%s.weight", layer, modules[module].name);
            rc = gtr_head_add_tensor(head, name, modules[module].shape, modules[module].numel,
                                     GTR_BF16, err);
        }
    }
    return rc;
}

static enum gtr_code write_steps(struct gtr_writer *writer, int64_t n_steps, struct gtr_err *err)
{
    static double level[N_TENSORS], wander[N_TENSORS], sumsq[N_TENSORS];
    static float maxabs[N_TENSORS];
    static const uint64_t nonfinite[N_TENSORS];
    enum gtr_code rc = GTR_OK;
    int64_t t;
    int i;

    for (i = 0; i < N_TENSORS; i++)
        level[i] = -6.0 + deviate();
    for (t = 0; rc == GTR_OK && t < n_steps; t++) {
        const struct gtr_step step = { .index = t,
                                       .loss = 2.0 + 8.0 / (1.0 + (double)t / 500.0),
                                       .lr = 1e-4,
                                       .time = 0.5 * (double)t,
                                       .applied_scale = (double)NAN };

        for (i = 0; i < N_TENSORS; i++) {
            wander[i] = 0.95 * wander[i] + 0.3 * deviate();
            sumsq[i] = exp(level[i] + wander[i]);
            maxabs[i] = (float)(1e-3 * sqrt(sumsq[i]));
        }
        rc = gtr_writer_append(writer, &step, sumsq, maxabs, nonfinite, NULL, err);
    }
    return rc;
}

int main(int argc, char **argv)
{
    const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    struct gtr_err err = { 0 };
    struct gtr_head head;
    struct gtr_writer *writer = NULL;
    int64_t n_steps = 100000;
    enum gtr_code rc;

    if (argc < 2 || (argc > 2 && (!gtr_text_integer(argv[2], &n_steps) || n_steps < 1))) {
        fprintf(stderr, "usage: make_big_trace FILE [STEPS]\n");
        return 2;
    }
    rc = make_head(&head, n_steps, &err);
    if (rc == GTR_OK)
        rc = gtr_writer_open(argv[1], &head, &options, &writer, &err);
    gtr_head_free(&head);
    if (rc == GTR_OK)
        rc = write_steps(writer, n_steps, &err);
    if (rc == GTR_OK)
        rc = gtr_writer_close(writer, &err);
    else
        gtr_writer_abandon(writer);
    if (rc != GTR_OK)
        fprintf(stderr, "make_big_trace: %s\n", err.text);
    return rc != GTR_OK;
}
