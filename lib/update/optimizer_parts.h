/* optimizer_parts.h - the catalogue of optimizers; for the files optimizer*.c. */
#ifndef GTR_OPTIMIZER_PARTS_H
#define GTR_OPTIMIZER_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "optimizer.h"

enum { GTR_OPTIMIZER_PARAMS_MAX = 4 };

struct gtr_optimizer_param {
    const char *name;
    size_t offset; /* of the double in struct gtr_optimizer */
    double standard, min, max;
};

struct gtr_optimizer_spec {
    const char *name;
    const struct gtr_optimizer_param *params;
    size_t n_params;
};

const struct gtr_optimizer_spec *gtr_optimizer_spec(enum gtr_optimizer_id id);

/* False, and nothing changed, if the value is out of range. */
bool gtr_optimizer_set(struct gtr_optimizer *optimizer, const struct gtr_optimizer_param *param,
                       double value);

/* Fails if a parameter is out of range: for settings that were not parsed. */
enum gtr_code gtr_optimizer_check(const struct gtr_optimizer *optimizer, struct gtr_err *err);

#endif
