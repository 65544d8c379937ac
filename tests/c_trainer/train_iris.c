/* train_iris.c - a complete trainer in C that records its gradients.
 *
 *     train_iris DATA.csv TRACE.h5
 *
 * A network with one hidden layer learns to tell Fisher's three irises apart, by stochastic
 * gradient descent with the global norm clipped at 1:
 *
 *     h = tanh(W1 x + b1)    p = softmax(W2 h + b2)    loss = mean over the batch of -ln p[label]
 *
 * What recording needs is in the functions open_trace and record_step, and in four lines of main;
 * all else is what such a program has anyway.  Prints a row per step (step, loss, norm, scale);
 * then on stderr how far the gradients are from finite differences of the loss, and the accuracy.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtrace.h"

enum {
    N_FEATURES = 4,
    N_HIDDEN = 8,
    N_CLASSES = 3,
    N_FLOWERS = 150,
    N_BATCH = 25,
    N_STEPS = 120,
    N_TENSORS = 4,
    N_WEIGHTS = N_HIDDEN * N_FEATURES + N_HIDDEN + N_CLASSES * N_HIDDEN + N_CLASSES
};

static const double rate = 0.3, momentum = 0.9, max_norm = 1.0;

struct flower {
    double x[N_FEATURES]; /* of mean 0 and variance 1 over all flowers */
    int label;
};

/* All weights in one array, and a gradient of the same layout. */
struct tensor {
    const char *name, *shape;
    size_t first, numel;
};
static const struct tensor tensors[N_TENSORS] = {
    { "hidden.weight", "8x4", 0, 32 },
    { "hidden.bias", "8", 32, 8 },
    { "output.weight", "3x8", 40, 24 },
    { "output.bias", "3", 64, 3 },
};
_Static_assert(N_WEIGHTS == 67, "the last tensor ends where the weights do");

/* --- the data ------------------------------------------------------------------------------- */

static bool read_flowers(const char *path, struct flower flowers[N_FLOWERS])
{
    FILE *f = fopen(path, "r");
    char line[256];
    int n = 0;

    while (f != NULL && n < N_FLOWERS && fgets(line, sizeof line, f) != NULL) {
        struct flower *to = &flowers[n];

        n += sscanf(line, "%lf,%lf,%lf,%lf,%d", &to->x[0], &to->x[1], &to->x[2], &to->x[3],
                    &to->label) == 5;
    }
    if (f != NULL)
        fclose(f);
    return n == N_FLOWERS;
}

static void standardise(struct flower flowers[N_FLOWERS])
{
    int i, k;

    for (k = 0; k < N_FEATURES; k++) {
        double mean = 0.0, variance = 0.0;

        for (i = 0; i < N_FLOWERS; i++)
            mean += flowers[i].x[k] / N_FLOWERS;
        for (i = 0; i < N_FLOWERS; i++)
            variance += (flowers[i].x[k] - mean) * (flowers[i].x[k] - mean) / N_FLOWERS;
        for (i = 0; i < N_FLOWERS; i++)
            flowers[i].x[k] = (flowers[i].x[k] - mean) / sqrt(variance);
    }
}

/* In [0, 1): the same numbers on every machine. */
static double uniform(void)
{
    static uint64_t state = 1936;

    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(state >> 11) * 0x1p-53;
}

/* --- the network ---------------------------------------------------------------------------- */

static void forward(const double *w, const double *x, double h[N_HIDDEN], double p[N_CLASSES])
{
    const double *w1 = w, *b1 = w + 32, *w2 = w + 40, *b2 = w + 64;
    double sum = 0.0;
    int i, k;

    for (i = 0; i < N_HIDDEN; i++) {
        h[i] = b1[i];
        for (k = 0; k < N_FEATURES; k++)
            h[i] += w1[i * N_FEATURES + k] * x[k];
        h[i] = tanh(h[i]);
    }
    for (i = 0; i < N_CLASSES; i++) {
        p[i] = b2[i];
        for (k = 0; k < N_HIDDEN; k++)
            p[i] += w2[i * N_HIDDEN + k] * h[k];
        p[i] = exp(p[i]);
        sum += p[i];
    }
    for (i = 0; i < N_CLASSES; i++)
        p[i] /= sum;
}

static double loss_of(const double *w, const struct flower *batch, int n)
{
    double h[N_HIDDEN], p[N_CLASSES], loss = 0.0;
    int i;

    for (i = 0; i < n; i++) {
        forward(w, batch[i].x, h, p);
        loss -= log(p[batch[i].label]) / n;
    }
    return loss;
}

/* The gradient of loss_of by back-propagation. */
static void backward(const double *w, const struct flower *batch, int n, double *gradient)
{
    double *to_w1 = gradient, *to_b1 = gradient + 32, *to_w2 = gradient + 40,
           *to_b2 = gradient + 64;
    const double *w2 = w + 40;
    int flower, i, k;

    memset(gradient, 0, N_WEIGHTS * sizeof *gradient);
    for (flower = 0; flower < n; flower++) {
        const double *x = batch[flower].x;
        double h[N_HIDDEN], p[N_CLASSES], at_h[N_HIDDEN] = { 0 };

        forward(w, x, h, p);
        for (i = 0; i < N_CLASSES; i++) {
            double at_output = (p[i] - (i == batch[flower].label)) / n;

            to_b2[i] += at_output;
            for (k = 0; k < N_HIDDEN; k++) {
                to_w2[i * N_HIDDEN + k] += at_output * h[k];
                at_h[k] += at_output * w2[i * N_HIDDEN + k];
            }
        }
        for (i = 0; i < N_HIDDEN; i++) {
            double before_tanh = at_h[i] * (1.0 - h[i] * h[i]);

            to_b1[i] += before_tanh;
            for (k = 0; k < N_FEATURES; k++)
                to_w1[i * N_FEATURES + k] += before_tanh * x[k];
        }
    }
}

/* Largest distance of a derivative from (loss(w + d) - loss(w - d)) / 2d, whose own error with
 * d = 1e-5 is about 1e-10. */
static double distance_from_differences(const double *w, const struct flower *batch, int n,
                                        const double *gradient)
{
    static const double d = 1e-5;
    double moved[N_WEIGHTS], worst = 0.0;
    size_t i;

    memcpy(moved, w, sizeof moved);
    for (i = 0; i < N_WEIGHTS; i++) {
        double above, below;

        moved[i] = w[i] + d;
        above = loss_of(moved, batch, n);
        moved[i] = w[i] - d;
        below = loss_of(moved, batch, n);
        moved[i] = w[i];
        worst = fmax(worst, fabs((above - below) / (2.0 * d) - gradient[i]));
    }
    return worst;
}

/* --- recording ------------------------------------------------------------------------------ */

static enum gtr_code open_trace(const char *path, struct gtr_recorder **recorder,
                                struct gtr_err *err)
{
    struct gtr_record_options options;
    enum gtr_code rc;
    size_t i;

    gtr_record_options_init(&options);
    options.grad_state = "pre-clip";
    options.total_steps = N_STEPS;
    options.elements = GTR_ELEMENTS_FULL;
    options.group_by = "tensor";
    options.meta = "{\"model\": \"4-8-3 tanh\", \"max_grad_norm\": 1.0,"
                   " \"optimizer\": {\"class\": \"SGD\", \"lr\": 0.3, \"momentum\": 0.9}}";
    options.force = 1;
    rc = gtr_recorder_open(path, &options, recorder, err);
    for (i = 0; rc == GTR_OK && i < N_TENSORS; i++)
        rc = gtr_recorder_tensor(*recorder, tensors[i].name, tensors[i].shape, tensors[i].numel,
                                 GTR_F64, err);
    return rc;
}

static enum gtr_code record_step(struct gtr_recorder *recorder, int step, double loss,
                                 const double *gradient, struct gtr_err *err)
{
    enum gtr_code rc = gtr_recorder_begin(recorder, step, loss, rate, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < N_TENSORS; i++)
        rc = gtr_recorder_grad(recorder, i, gradient + tensors[i].first, err);
    return rc == GTR_OK ? gtr_recorder_end(recorder, err) : rc;
}

/* --- training ------------------------------------------------------------------------------- */

static void draw_batch(const struct flower flowers[N_FLOWERS], struct flower batch[N_BATCH])
{
    int i;

    for (i = 0; i < N_BATCH; i++)
        batch[i] = flowers[(int)(N_FLOWERS * uniform())];
}

static double norm_of(const double *gradient)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < N_WEIGHTS; i++)
        sum += gradient[i] * gradient[i];
    return sqrt(sum);
}

static double accuracy(const double *w, const struct flower flowers[N_FLOWERS])
{
    double h[N_HIDDEN], p[N_CLASSES];
    int i, k, right = 0;

    for (i = 0; i < N_FLOWERS; i++) {
        int best = 0;

        forward(w, flowers[i].x, h, p);
        for (k = 1; k < N_CLASSES; k++)
            best = p[k] > p[best] ? k : best;
        right += best == flowers[i].label;
    }
    return (double)right / N_FLOWERS;
}

int main(int argc, char **argv)
{
    static struct flower flowers[N_FLOWERS];
    struct flower batch[N_BATCH];
    double weights[N_WEIGHTS], gradient[N_WEIGHTS], speed[N_WEIGHTS] = { 0 }, worst = 0.0;
    struct gtr_recorder *recorder = NULL;
    struct gtr_err err = { GTR_OK, "", NULL, 0 };
    size_t i;
    int step;

    if (argc != 3 || !read_flowers(argv[1], flowers)) {
        fprintf(stderr, "usage: train_iris DATA.csv TRACE.h5, with %d flowers\n", N_FLOWERS);
        return 2;
    }
    standardise(flowers);
    for (i = 0; i < N_WEIGHTS; i++)
        weights[i] = 1.6 * uniform() - 0.8;
    open_trace(argv[2], &recorder, &err);
    for (step = 0; step < N_STEPS && err.code == GTR_OK; step++) {
        double loss, norm, scale;

        draw_batch(flowers, batch);
        loss = loss_of(weights, batch, N_BATCH);
        backward(weights, batch, N_BATCH, gradient);
        worst = fmax(worst, distance_from_differences(weights, batch, N_BATCH, gradient));
        record_step(recorder, step, loss, gradient, &err);
        norm = norm_of(gradient);
        scale = fmin(1.0, max_norm / (norm + 1e-6));
        gtr_recorder_applied(recorder, scale, false, &err);
        for (i = 0; i < N_WEIGHTS; i++) {
            speed[i] = momentum * speed[i] + scale * gradient[i];
            weights[i] -= rate * speed[i];
        }
        printf("%d\t%.17g\t%.17g\t%.17g\n", step, loss, norm, scale);
    }
    gtr_recorder_close(recorder, &err);
    if (err.code != GTR_OK) {
        fprintf(stderr, "train_iris: %s\n", err.text);
        return 1;
    }
    fprintf(stderr, "furthest from finite differences: %.1e; accuracy: %.3f\n", worst,
            accuracy(weights, flowers));
    return 0;
}
