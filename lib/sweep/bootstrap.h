/* bootstrap.h - how far a recommendation depends on the stretches of the run that one happened to
 * see.
 *
 * The run is cut into GTR_BOOTSTRAP_BLOCKS stretches.  Settings go through all of it once, and
 * leave for each stretch their tallies and what they cost the calm (study/calm.h).  Then stretches
 * are drawn with replacement, as many as there are, and the setting that would have been
 * recommended of such a run is found: the block bootstrap (Kuensch 1989).
 *
 * Without goals the recommended setting is that which lets least of the spikes through (leak) of
 * those that cost the calm at most `cost`, and of equals the one that turns the gradient and takes
 * least (distortion, attenuation): how often a policy clips is a preference, and no cost.  If none
 * is so cheap, the cheapest.  With goals it is the knee of their front (goals.h).
 */
#ifndef GTR_BOOTSTRAP_H
#define GTR_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "advice.h"
#include "sweep.h"

GTR_PUBLIC_BEGIN

enum { GTR_BOOTSTRAP_BLOCKS = 10, GTR_BOOTSTRAP_DRAWS = 200 };

struct gtr_bootstrap_options {
    const struct gtr_goal *goals; /* [n_goals]; none: least leak at the cost */
    size_t n_goals;
    const struct gtr_limit *limits; /* [n_limits], that a setting must keep in each draw */
    size_t n_limits;
    double cost; /* GTR_CALM_COST */
    uint64_t seed;
    size_t n_threads; /* 0: all */
};

struct gtr_bootstrap {
    size_t n;     /* settings that took part */
    size_t *row;  /* [n] their rows, rising */
    double *cost; /* [n] to the calm, over the whole run */
    size_t n_policies;
    /* Recommended rows, or GTR_NO_ROW where none keeps the limits; p < n_policies: of this policy's
     * settings alone, p = n_policies: of all. */
    size_t *chosen;  /* [n_policies + 1] of the whole run */
    size_t *drawn;   /* [n_policies + 1][GTR_BOOTSTRAP_DRAWS] of the draws */
    bool affordable; /* some setting costs the calm at most `cost` (or there are goals) */
};

/* rows: those of settings first .. first + n - 1, `keep` as in gtr_advice_new.  Where there are
 * more settings than some seconds are enough for, those of the front of leak and attenuation (or of
 * the goals) and others evenly among the rest take part.  Free with gtr_bootstrap_free. */
enum gtr_code gtr_bootstrap_new(const struct gtr_replay *replay,
                                const struct gtr_baseline *baseline, const struct gtr_plan *plan,
                                size_t first, const double *rows, size_t n, const bool *keep,
                                const struct gtr_bootstrap_options *options,
                                struct gtr_bootstrap **bootstrap, struct gtr_err *err);
void gtr_bootstrap_free(struct gtr_bootstrap *bootstrap);

GTR_PUBLIC_END

#endif
