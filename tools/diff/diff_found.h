/* diff_found.h - what `gradtrace diff` was asked for, and what it tells: two traces held against
 * each other, or two policies on one trace. */
#ifndef DIFF_FOUND_H
#define DIFF_FOUND_H

#include <stdio.h>

#include "output.h"
#include "study.h"

struct diff_window {
    int64_t first, last; /* step numbers, both included */
};

struct diff_options {
    struct cli_common common;
    struct cli_replay replay;
    const char **trace; /* [n_traces] A's, then B's; of the command line */
    size_t n_traces;
    int n_b; /* of them B's, behind "--"; -1: there is none, so the second of two */
    struct diff_window window[2];
    size_t n_windows;
    struct gtr_baseline_options baseline; /* that spikes are above */
    struct forms forms;
};

/* --- two traces, or several a side ----------------------------------------------------------- */

/* One run. */
struct diff_side {
    struct study study;
    struct gtr_decisions **decisions; /* [n_settings] */
    size_t *group;                    /* [n_groups] of the comparison; the last is the whole */
    size_t *alone;                    /* groups that not all others have */
    size_t n_alone;
    struct diff_window window, spans; /* compared; what the trace has */
};

struct diff_found {
    const struct diff_options *options;
    struct diff_side *side; /* [n_of[0] + n_of[1]] A's runs, then B's */
    size_t n_of[2];
    const char **names; /* [n_groups], the last "(all)" */
    size_t n_groups;
    struct gtr_comparison *comparison;
};

/* "A", or "A2" where A has several runs; kept in `text`. */
const char *diff_side_name(const struct diff_found *found, size_t run, char text[32]);

enum gtr_code diff_found_make(struct diff_found *found, const struct diff_options *options,
                              struct gtr_err *err);
void diff_found_free(struct diff_found *found);

/* "level", "spread", "spikes", or "clip rate of LABEL" (kept in `text`). */
const char *diff_measure_name(const struct diff_found *found, size_t measure, char text[128]);

/* For people (diff_report.c) and for programs (diff_rows.c): one row per group and measure. */
void diff_report(FILE *f, const struct diff_found *found);
void diff_group_rows(struct rows *rows, const void *found);
enum gtr_code diff_json(FILE *f, const struct diff_found *found, struct gtr_err *err);

/* --- two policies on one trace --------------------------------------------------------------- */

/* Decision by decision: both saw the same gradients, so every difference is exact and needs no
 * test. */
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
