/* diff_policies_found.h - two policies on one trace, decision by decision.
 *
 * Both saw the same gradients, so every difference is exact and needs no test.
 */
#ifndef DIFF_POLICIES_FOUND_H
#define DIFF_POLICIES_FOUND_H

#include <stdio.h>

#include "diff_options.h"
#include "study.h"

enum { DIFF_WORST = 5 };

/* One group; or all. */
struct diff_pair {
    uint64_t n;                      /* decisions of both */
    uint64_t clipped[2], raised[2];  /* of them */
    double log_sum[2];               /* of ln s */
    uint64_t n_apart;                /* scales differ */
    double apart_sum;                /* of |ln s2 - ln s1| */
    double farthest;                 /* the largest of them; 0 if none */
    size_t farthest_row;             /* where */
    uint64_t n_spikes, n_through[2]; /* above kappa times the average; still, after scaling */
};

struct diff_place {
    size_t group, row;
    double apart; /* ln s2 - ln s1 */
};

struct diff_policies {
    const struct diff_options *options;
    struct study study;
    struct gtr_baseline *baseline;
    struct gtr_decisions *decisions[2];
    struct gtr_scaling_report *reports[2];
    const char **names;                  /* [G + 1] of groups, the last "(all)" */
    struct diff_pair *group;             /* [G + 1], the last over all decisions */
    uint64_t n_steps, n_steps_apart;     /* steps; with any scale that differs */
    struct diff_place worst[DIFF_WORST]; /* of different steps, the largest first */
    size_t n_worst;
    struct diff_window window;
};

enum gtr_code diff_policies_make(struct diff_policies *found, const struct diff_options *options,
                                 struct gtr_err *err);
void diff_policies_free(struct diff_policies *found);

/* For people (diff_policies_report.c) and for programs (diff_policies_rows.c): one row per group.
 */
void diff_policies_report(FILE *f, const struct diff_policies *found);
void diff_policies_rows(struct rows *rows, const void *found);
enum gtr_code diff_policies_json(FILE *f, const struct diff_policies *found, struct gtr_err *err);

#endif
