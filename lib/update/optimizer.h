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

enum gtr_optimizer_id { GTR_ADAMW, GTR_SGD, GTR_LION, GTR_RMSPROP, GTR_NADAM, GTR_OPTIMIZER_COUNT };

/* A setting; fields that an optimizer does not have are ignored by it. */
struct gtr_optimizer {
    enum gtr_optimizer_id id;
    double beta1, beta2, eps; /* adamw, nadam; lion has no eps; rmsprop's alpha is beta2 */
    double momentum;          /* sgd, rmsprop */
    double nesterov;          /* sgd: 1 for yes */
    double dampening;         /* sgd */
    double momentum_decay;    /* nadam */
};

/* adamw: 0.9, 0.999, 1e-8.  sgd: momentum 0.9.  lion: 0.9, 0.99.  rmsprop: alpha 0.99, 1e-8.
 * nadam: as adamw, and momentum_decay 0.004. */
void gtr_optimizer_init(struct gtr_optimizer *optimizer, enum gtr_optimizer_id id);

/* "adamw", "adamw:beta2=0.95,eps=1e-6", "sgd:momentum=0". */
enum gtr_code gtr_optimizer_parse(const char *text, struct gtr_optimizer *optimizer,
                                  struct gtr_err *err);

/* As the run itself was trained, from the JSON object in a trace's meta: {"optimizer": {"name":
 * "AdamW", "betas": [0.9, 0.999], "eps": 1e-8, ...}}, where the recorder of the Python package puts
 * it.  Returns false, and leaves *optimizer alone, if meta does not say. */
int gtr_optimizer_from_meta(const char *meta, struct gtr_optimizer *optimizer);

/* In what the run that meta tells of was trained otherwise than is simulated: by the name of an
 * optimizer that is not, or by what it has that is not, as "amsgrad, weight decay added to
 * gradients".  "": in nothing that meta tells of.  Returns text. */
const char *gtr_optimizer_unlike(const char *meta, char *text, int size);

/* "AdamW", as papers and torch write it. */
const char *gtr_optimizer_title(const struct gtr_optimizer *optimizer);

/* "adamw:beta1=0.9,beta2=0.999,eps=1e-08": parses back to the same.  Returns text. */
const char *gtr_optimizer_print(const struct gtr_optimizer *optimizer, char *text, int size);

GTR_PUBLIC_END

/* Fails if a parameter is out of range: for settings that were not parsed. */
enum gtr_code gtr_optimizer_check(const struct gtr_optimizer *optimizer, struct gtr_err *err);

/* Parameter i of an optimizer, or NULL behind its last. */
const char *gtr_optimizer_param(enum gtr_optimizer_id id, size_t i);

/* False, and nothing changed, if the value is out of range or the optimizer has no such parameter.
 */
int gtr_optimizer_set(struct gtr_optimizer *optimizer, const char *name, double value);

/* What all elements share at one step.  `step` counts from 1. */
struct gtr_optimizer_step {
    float beta1, fresh1; /* fresh = 1 - beta, rounded once */
    float beta2, fresh2;
    float eps;
    float root;       /* 1 / sqrt(1 - beta2^step) */
    float of_m, of_g; /* nadam */
    double factor;    /* of u: 1 / (1 - beta1^step); kept out of the elements' arithmetic */
};

/* What an element remembers: adamw's m and v; sgd's buffer, lion's m and nothing. */
struct gtr_moments {
    float first, second;
};

/* How many numbers that is. */
GTR_HD int gtr_optimizer_states(enum gtr_optimizer_id id)
{
    return id == GTR_SGD || id == GTR_LION ? 1 : 2;
}

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

/* torch.optim.SGD: beta1 is the momentum, fresh1 is 1 - dampening (at the first step 1), and beta2
 * the share of the momentum that nesterov looks ahead (0 or the momentum):
 *
 *     b = momentum b + (1 - dampening) g;  u = b, or with nesterov g + momentum b
 */
GTR_HD float gtr_sgd_move(const struct gtr_optimizer_step *o, float g, struct gtr_moments *s)
{
    s->first = o->beta1 * s->first + o->fresh1 * g;
    return o->beta2 > 0.0f ? g + o->beta2 * s->first : s->first;
}

/* Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675, algorithm 2:
 *
 *     c = beta1 m + (1 - beta1) g     u = sign(c)     m = beta2 m + (1 - beta2) g
 *
 * sign(0) is 0; where c is not finite u is NaN. */
GTR_HD float gtr_lion_move(const struct gtr_optimizer_step *o, float g, struct gtr_moments *s)
{
    float c = o->beta1 * s->first + o->fresh1 * g;

    s->first = o->beta2 * s->first + o->fresh2 * g;
    return (float)((c > 0.0f) - (c < 0.0f)) + (c - c);
}

/* torch.optim.RMSprop, not centered; beta1 is the momentum, beta2 alpha:
 *
 *     v = alpha v + (1 - alpha) g g     b = momentum b + g / (sqrt(v) + eps)     u = b
 */
GTR_HD float gtr_rmsprop_move(const struct gtr_optimizer_step *o, float g, struct gtr_moments *s)
{
    s->second = o->beta2 * s->second + (o->fresh2 * g) * g;
    s->first = o->beta1 * s->first + g / (sqrtf(s->second) + o->eps);
    return s->first;
}

/* Dozat, "Incorporating Nesterov Momentum into Adam", 2016, as torch.optim.NAdam has it: m and v as
 * of adamw, mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2), M_t the product of mu_1 .. mu_t, and
 *
 *     u = (mu_(t+1) / (1 - M_(t+1)) m + (1 - mu_t) / (1 - M_t) g)
 *         / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 */
GTR_HD float gtr_nadam_move(const struct gtr_optimizer_step *o, float g, struct gtr_moments *s)
{
    s->first = o->beta1 * s->first + o->fresh1 * g;
    s->second = o->beta2 * s->second + (o->fresh2 * g) * g;
    return (o->of_m * s->first + o->of_g * g) / (sqrtf(s->second) * o->root + o->eps);
}

GTR_HD float gtr_optimizer_move(enum gtr_optimizer_id id, const struct gtr_optimizer_step *o,
                                float g, struct gtr_moments *s)
{
    switch (id) {
    case GTR_SGD:
        return gtr_sgd_move(o, g, s);
    case GTR_LION:
        return gtr_lion_move(o, g, s);
    case GTR_RMSPROP:
        return gtr_rmsprop_move(o, g, s);
    case GTR_NADAM:
        return gtr_nadam_move(o, g, s);
    default:
        return gtr_adamw_move(o, g, s);
    }
}

/* Constants of steps 1 .. n_steps, in double and rounded once. */
void gtr_optimizer_steps(const struct gtr_optimizer *optimizer, int64_t n_steps,
                         struct gtr_optimizer_step *steps);

#endif
