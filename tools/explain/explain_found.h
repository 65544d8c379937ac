/* explain_found.h - everything about one step, made once; told and written from here.
 */
#ifndef EXPLAIN_FOUND_H
#define EXPLAIN_FOUND_H

#include "output.h"
#include "study.h"
#include "tell.h"

enum { EXPLAIN_PAST = 20, EXPLAIN_AHEAD = 50, EXPLAIN_TENSORS = 5 };

struct explain_options {
    struct cli_common common;
    struct cli_replay replay;
    const char *trace;
    bool worst;   /* --step worst */
    bool chosen;  /* --step was given */
    int64_t step; /* the run's own number */
    struct gtr_baseline_options baseline;
    size_t n_top; /* rows of the table of groups; 0: all */
    struct forms forms;
};

/* A group, or the whole gradient. */
struct explain_norm {
    double norm;
    double average; /* m of baseline.h, over the steps before; NaN if there is none yet */
    double share;   /* of the energy of the whole gradient */
    bool above;     /* kappa times the average */
};

struct explain_tensor {
    size_t tensor;
    double norm, share; /* of its group's energy */
    double past; /* median norm over up to EXPLAIN_PAST steps before; NaN if there are none */
    uint64_t nonfinite;
};

/* What one policy did. */
struct explain_policy {
    struct gtr_decisions *decisions;
    double cosine; /* of the gradient before and after; NaN if there is none */
    double norm_out;
    double *rho;                  /* [G][T] of proxy.h; with SGD the scale itself */
    struct gtr_spill *spill;      /* of one limit for all; else NULL */
    struct gtr_update_values *at; /* [G + 1] if elements were captured at this step; else NULL */
};

/* The loss around the step; NaN where it was not recorded. */
struct explain_loss {
    double at;
    double before, before_least, before_most; /* median and range of up to EXPLAIN_PAST before */
    double peak;                              /* most in up to EXPLAIN_AHEAD steps after */
    int64_t peak_step;
    size_t back; /* steps until it is in the range before again; 0: never left, or not known */
    bool left;   /* it rises above that range */
};

struct explain_found {
    struct study study;
    const struct explain_options *options;
    size_t row;
    struct tell_names names;    /* of the groups */
    struct explain_norm *group; /* [G] */
    struct explain_norm whole;
    size_t *ranked; /* [G] most energy first */
    size_t rank;    /* of the norm among all finite steps, 1: the largest */
    size_t n_ranked;
    size_t focus; /* the group with most energy above its past, or with most energy */
    struct explain_tensor tensors[EXPLAIN_TENSORS]; /* its largest */
    size_t n_tensors;
    struct explain_tensor broken[EXPLAIN_TENSORS]; /* tensors with non-finite elements */
    size_t n_broken, n_all_broken;
    struct explain_loss loss;
    size_t back; /* steps until the norm is within kappa times the average of before; 0: never was
                    above; SIZE_MAX: not to the end */
    struct explain_policy *policies;
    struct gtr_optimizer optimizer;
    char optimizer_from[200]; /* "as the run was trained", ... */
    struct gtr_update *update;
    bool skip; /* policies have no decision here */
};

enum gtr_code explain_found_make(struct explain_found *found, const struct explain_options *options,
                                 struct gtr_err *err);
void explain_found_free(struct explain_found *found);

/* explain_step.c: which row, and what the trace itself says about it. */
enum gtr_code explain_choose(struct explain_found *found, struct gtr_err *err);
enum gtr_code explain_describe(struct explain_found *found, struct gtr_err *err);

/* explain_reason.c: why a group got its scale, in words without numbers: equal reasons are equal
 * texts. */
const char *explain_reason(const struct explain_found *found, size_t policy, size_t group);
bool explain_decides_for_all(const struct explain_found *found, size_t policy);

/* explain_report.c: the step, for people. */
void explain_report(FILE *f, const struct explain_found *found);

/* explain_policy.c: what one policy did to each group, and why; what the columns about the
 * optimizer mean, once, after all policies. */
void explain_policy(FILE *f, const struct explain_found *found, size_t i);
void explain_optimizer(FILE *f, const struct explain_found *found);

/* explain_rows.c: for programs, the groups under each policy as a forms_table, and everything. */
void explain_rows(struct rows *rows, const void *found);
enum gtr_code explain_json(FILE *f, const struct explain_found *found, struct gtr_err *err);

#endif
