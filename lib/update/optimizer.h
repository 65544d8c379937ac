/* optimizer.h - simulated optimizers, element by element, in the fp32 that frameworks keep.
 *
 * An optimizer turns the gradient g of one element into its update u, and remembers up to two
 * numbers.  The same functions run in vectors on the CPU and in registers on a GPU; all of it is
 * single precision in the order written, with + - * / and sqrt alone, so the bits are the same
 * everywhere.  Weights are not needed: decoupled weight decay does not depend on the gradient, and
 * the learning rate is a factor that all policies share.
 */
#ifndef GTR_OPTIMIZER_H
#define GTR_OPTIMIZER_H

#include <math.h>
#include <stdint.h>

#include "err.h"
#include "exact.h"
#include "public.h"

GTR_PUBLIC_BEGIN

enum gtr_optimizer_id { GTR_ADAMW, GTR_SGD, GTR_OPTIMIZER_COUNT };

/* A setting; fields that an optimizer does not have are ignored by it. */
struct gtr_optimizer {
    enum gtr_optimizer_id id;
    double beta1, beta2, eps; /* adamw */
    double momentum;          /* sgd */
    double nesterov;          /* sgd: 1 for yes */
};

/* adamw: 0.9, 0.999, 1e-8.  sgd: momentum 0.9. */
void gtr_optimizer_init(struct gtr_optimizer *optimizer, enum gtr_optimizer_id id);

/* "adamw", "adamw:beta2=0.95,eps=1e-6", "sgd:momentum=0". */
enum gtr_code gtr_optimizer_parse(const char *text, struct gtr_optimizer *optimizer,
                                  struct gtr_err *err);

/* As the run itself was trained, from the JSON object in a trace's meta: {"optimizer": {"name":
 * "AdamW", "betas": [0.9, 0.999], "eps": 1e-8, ...}}, where the recorder of the Python package puts
 * it.  Returns false, and leaves *optimizer alone, if meta does not say. */
int gtr_optimizer_from_meta(const char *meta, struct gtr_optimizer *optimizer);

/* "adamw:beta1=0.9,beta2=0.999,eps=1e-08": parses back to the same.  Returns text. */
const char *gtr_optimizer_print(const struct gtr_optimizer *optimizer, char *text, int size);

GTR_PUBLIC_END

/* Fails if a parameter is out of range: for settings that were not parsed. */
enum gtr_code gtr_optimizer_check(const struct gtr_optimizer *optimizer, struct gtr_err *err);

/* What all elements share at one step.  `step` counts from 1. */
struct gtr_optimizer_step {
    float beta1, fresh1; /* fresh = 1 - beta, rounded once */
    float beta2, fresh2;
    float eps;
    float root;    /* 1 / sqrt(1 - beta2^step) */
    double factor; /* of u: 1 / (1 - beta1^step); kept out of the elements' arithmetic */
};

/* What an element remembers: adamw's m and v, sgd's buffer and nothing. */
struct gtr_moments {
    float first, second;
};

/* Kingma and Ba, "Adam", arXiv 1412.6980, algorithm 1, as torch.optim.AdamW computes it, with the
 * bias correction of m left to the caller:
 *
 *     m = beta1 m + (1 - beta1) g     v = beta2 v + (1 - beta2) g g
 *     u = m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 */
GTR_HD float gtr_adamw_move(const struct gtr_optimizer_step *o, float g, struct gtr_moments *s)
{
    s->first = o->beta1 * s->first + o->fresh1 * g;
    s->second = o->beta2 * s->second + (o->fresh2 * g) * g;
    return s->first / (sqrtf(s->second) * o->root + o->eps);
}

/* torch.optim.SGD with dampening 0: beta1 is the momentum, fresh1 is 1, and beta2 the share of the
 * momentum that nesterov looks ahead (0 or the momentum):
 *
 *     b = momentum b + g;  u = b, or with nesterov g + momentum b
 */
GTR_HD float gtr_sgd_move(const struct gtr_optimizer_step *o, float g, struct gtr_moments *s)
{
    s->first = o->beta1 * s->first + g;
    return o->beta2 > 0.0f ? g + o->beta2 * s->first : s->first;
}

/* Constants of steps 1 .. n_steps, in double and rounded once. */
void gtr_optimizer_steps(const struct gtr_optimizer *optimizer, int64_t n_steps,
                         struct gtr_optimizer_step *steps);

#endif
