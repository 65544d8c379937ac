/* objectives.c - the objectives by name: columns of files, limits and goals use the same words. */
#include "objectives.h"

#include <stddef.h>
#include <string.h>

#include "alloc.h"

static const char *const names[] = {
    [GTR_CLIP_RATE] = "clip_rate",   [GTR_RAISE_RATE] = "raise_rate",
    [GTR_SATURATION] = "saturation", [GTR_EMPTY_RATE] = "empty_rate",
    [GTR_SCALE_MEAN] = "scale_mean", [GTR_SCALE_MIN] = "scale_min",
    [GTR_SCALE_MAX] = "scale_max",   [GTR_ATTENUATION] = "attenuation",
    [GTR_VOLATILITY] = "volatility", [GTR_LEAK] = "leak",
    [GTR_DISTORTION] = "distortion", [GTR_SPILL] = "spill",
    [GTR_SKIP_RATE] = "skip_rate",
};
_Static_assert(GTR_ARRAY_LEN(names) == GTR_OBJECTIVE_COUNT, "each objective has a name");

const char *gtr_objective_name(enum gtr_objective objective)
{
    return (size_t)objective < GTR_ARRAY_LEN(names) ? names[objective] : NULL;
}

enum gtr_objective gtr_objective_find(const char *name)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum gtr_objective)i;
    return GTR_OBJECTIVE_COUNT;
}

void gtr_objectives_baseline_init(struct gtr_baseline_options *options)
{
    gtr_baseline_options_init(options);
    options->kappa = 3.0;
}
