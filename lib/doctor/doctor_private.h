/* doctor_private.h - what the checks share: the patient, what was measured once, how to tell.
 *
 * A check is a function of the exam that adds findings.  It sees either the run, or one policy,
 * whose decisions are then in exam->decisions.
 */
#ifndef GTR_DOCTOR_PRIVATE_H
#define GTR_DOCTOR_PRIVATE_H

#include "doctor.h"
#include "policy.h"

/* Every threshold, once: X(NAME, code, value, what, why). */
#define GTR_DOCTOR_THRESHOLDS(X)                                                                  \
    X(DOMINANT, "dominant-tensor", 0.6, "of the energy, at the median step: a warning",           \
      "embeddings of small models have half of it in health")                                     \
    X(DOMINANT_SEVERE, "dominant-tensor", 0.9, "the same: severe",                                \
      "all others together move the norm by 5 %")                                                 \
    X(SPIKE_SIGMAS, "spikes", 6.0, "deviations of ln norm above the group's last 128",            \
      "norms that wander stay within 4; robust, so spikes do not hide each other")                \
    X(SPIKE_RATIO, "spikes", 3.0, "times the median of those, at least",                          \
      "very even norms have tiny deviations, and norms that wander reach twice it")               \
    X(SPIKE_PAST, "spikes", 32.0, "of the last 128 norms must be there",                          \
      "a deviation of fewer is a guess")                                                          \
    X(SPIKE_LONGEST, "spikes", 16.0,                                                              \
      "steps after it, half of them as high: a new level, no spike",                              \
      "bursts are shorter, and averages have followed by then")                                   \
    X(SPIKE_TOTAL, "spikes", 2.0,                                                                 \
      "times the median of its last 128, of the global norm: a warning; else a note",             \
      "a global limit makes everybody pay for it")                                                \
    X(SUMS, "sums", 0.01, "of difference between the run's norm and ours, at the median",         \
      "rounding and order of summation stay far below it")                                        \
    X(SUMS_STEPS, "sums", 5.0, "clipped steps are needed to compare", "")                         \
    X(PILE, "post-clip", 0.02, "of the steps have the largest norm, within 0.1 %: severe",        \
      "norms that were not cut to it do not pile up at their maximum")                            \
    X(PILE_STEPS, "post-clip", 10.0, "such steps at least", "")                                   \
    X(NONFINITE, "nonfinite", 0.05, "of the steps: severe, below it a warning",                   \
      "loss scaling of mixed precision makes a few, mostly at the start")                         \
    X(DEAD_SHARE, "dead-group", 0.1, "of the run without gradient, up to its end",                \
      "a shorter silence may be chance")                                                          \
    X(DEAD_TIMES, "dead-group", 3.0, "times as long as any silence that ended",                   \
      "an idle expert comes back")                                                                \
    X(STALE, "stale", 0.01, "of the steps repeat the one before: severe, below it a warning",     \
      "by chance none ever does")                                                                 \
    X(NEVER, "never-reached", 2.0, "times the largest norm, or more: a note",                     \
      "a limit just above all norms may be a safety net")                                         \
    X(NEVER_FAR, "never-reached", 5.0, "the same: a warning", "most spikes would pass below it")  \
    X(ALWAYS_NOTE, "always-reached", 0.5, "of a group's steps: a note",                           \
      "the limit is below the median norm, and so part of the learning rate")                     \
    X(ALWAYS, "always-reached", 0.8, "of a group's steps: a warning",                             \
      "what is cut at 4 of 5 steps is the norm itself, not its spikes")                           \
    X(ALWAYS_SEVERE, "always-reached", 0.98, "the same: severe", "nothing is left to tell apart") \
    X(CAP, "stuck-at-cap", 0.5, "of a group's decisions are the cap: a warning",                  \
      "the interval then decides the rarer case")                                                 \
    X(CAP_SEVERE, "stuck-at-cap", 0.9, "the same: severe", "the cap is the policy")               \
    X(SPIKE_HELD, "spike-passes", 0.5,                                                            \
      "of what an ordinary step gets is given to a norm 100 times as large",                      \
      "what should be cut to a hundredth is cut by less than half")                               \
    X(COLLAPSE, "ema-collapse", 0.05, "of its largest is what is left of U over the norm",        \
      "norms that fall take U along, so their quotient stays")                                    \
    X(EMPTY, "empty-interval", 0.05, "of a group's steps have L above U",                         \
      "rarer, it comes from a floor under L")                                                     \
    X(COLD, "cold-start", 0.5, "of a group's later median scale, at most, after the start",       \
      "an average that starts at 0 needs time to rise")                                           \
    X(COLD_STEPS, "cold-start", 3.0, "steps of that, at least", "")                               \
    X(COLD_SEVERE, "cold-start", 0.1, "of the run: severe", "longer than a usual warmup")         \
    X(CANCELLED, "cancelled", 0.02, "is what Adam leaves of the scales' changes, at most (rms)",  \
      "2 % of an update is less than its noise")                                                  \
    X(CANCELLED_RATE, "cancelled", 0.5, "of the steps scaled, at least",                          \
      "a setting that seldom acts need not change much")                                          \
    X(SPILL, "spill-over", 0.25, "of all clipping is spill-over: a warning",                      \
      "a quarter of what clipping takes is taken from others")                                    \
    X(SPILL_SEVERE, "spill-over", 0.5, "and at least 10 such steps: severe", "the larger part")   \
    X(SPILL_HALF, "spill-over", 2.0, "times less than they would get, for innocents, at a step",  \
      "smaller losses are like the noise of a batch")                                             \
    X(RAISE, "raises-much", 0.25, "of a group's steps are scaled up: a warning",                  \
      "norms below L are as rare as spikes, or L is inside the noise")                            \
    X(RAISE_SEVERE, "raises-much", 0.5, "the same: severe", "")                                   \
    X(RAISE_FACTOR, "raises-much", 10.0, "times is what a small gradient was scaled up by",       \
      "that small it is mostly noise")

enum gtr_threshold_id {
#define X(NAME, code, value, what, why) GTR_AT_##NAME,
    GTR_DOCTOR_THRESHOLDS(X)
#undef X
        GTR_THRESHOLD_COUNT
};
double gtr_threshold_at(enum gtr_threshold_id id);

/* Tensors, from one pass over the trace. */
struct gtr_tensor_facts {
    size_t dominant;        /* has more than half of the energy at most steps; n_tensors: none */
    double dominant_median; /* its share, median over the steps */
    uint64_t *n_nonfinite;  /* [P] steps at which the tensor was not finite */
    bool *silent;           /* [P] sum of squares 0 and all finite, at all steps */
    uint8_t *repeats;       /* [T] 1: all sums equal those of the step before, and not all 0 */
};

struct gtr_exam {
    const struct gtr_patient *patient;
    const struct gtr_series *series;
    const uint8_t *skip;
    struct gtr_baseline *baseline;
    struct gtr_tensor_facts facts;
    double *spike; /* [G][T] norm over its past's median where it is a spike, else 0 */
    double *rise;  /* [T] global norm over its past's median, 0 where it has too little past */

    size_t check;   /* at work */
    int64_t policy; /* under it; GTR_OF_THE_RUN */
    const struct gtr_decisions *decisions;
    const struct gtr_scaling_report *report;

    struct gtr_finding *findings;
    size_t n_findings, capacity;
    enum gtr_code rc; /* the first failure of a check, which ends the round */
    struct gtr_err *err;
    struct gtr_finding lost;  /* told here if there is no memory */
    double *weight;           /* [T] for gtr_finding_worst, at any check's disposal */
    double *values, *scratch; /* [T] each, the same */
    bool *flags;              /* [G] the same */
};

/* Is this step looked at?  Not if a policy skips it or it is not finite. */
static inline bool gtr_exam_counts(const struct gtr_exam *exam, size_t t)
{
    return !exam->skip[t] && !exam->series->nonfinite[t];
}

/* Does the policy decide for this group by itself?  One that decides for the whole gradient does so
 * in one lane, which stands at group 0. */
bool gtr_exam_has_lane(const struct gtr_exam *exam, size_t group);

/* Was this told of the policy at work already? */
bool gtr_exam_told(const struct gtr_exam *exam, const char *code);

/* --- telling -------------------------------------------------------------------------------- */

/* A new finding of the check at work. */
struct gtr_finding *gtr_exam_found(struct gtr_exam *exam, enum gtr_severity severity, size_t group);

/* Severe from the threshold on, below it a warning. */
enum gtr_severity gtr_severe_from(enum gtr_threshold_id id, double value);

/* Each appends.  Advice goes line by line. */
void gtr_finding_say(struct gtr_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gtr_finding_advise(struct gtr_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gtr_finding_number(struct gtr_finding *finding, const char *name, double value);

/* The steps with exam->weight > 0: how many, and those that weigh most. */
void gtr_finding_worst(struct gtr_finding *finding, const struct gtr_exam *exam);

enum { GTR_TELL = 160 };

/* "0.34%", "4.8%", "55.1%"; never rounded to none or to all: "<0.01%", "99.9%". */
const char *gtr_tell_share(double share, char text[GTR_TELL]);

/* The same of the worst of those in exam->flags: "up to 55 %" if there are several. */
const char *gtr_tell_most(const struct gtr_exam *exam, double share, char text[GTR_TELL]);

/* "o_proj, v_proj and 5 more": the groups in exam->flags; "all 9 groups". */
const char *gtr_tell_groups(const struct gtr_exam *exam, char text[GTR_TELL]);

/* The same of lanes: "the whole gradient" where the policy decides for that. */
const char *gtr_tell_lanes(const struct gtr_exam *exam, char text[GTR_TELL]);

/* A name, its middle left out if it is long, on one line: lines part advice. */
const char *gtr_tell_name(const char *name, char text[GTR_TELL]);

/* --- measuring ------------------------------------------------------------------------------ */

/* Flags the lanes whose measure is `least` or more.  Returns the one that has most, *most its
 * measure; n_groups if there is none. */
typedef double gtr_lane_measure(const struct gtr_exam *exam, size_t group);
size_t gtr_exam_worst(struct gtr_exam *exam, gtr_lane_measure *measure, double least, double *most);

/* Quantile of the first n of exam->values, which are sorted by it. */
double gtr_exam_quantile(struct gtr_exam *exam, size_t n, double q);

enum gtr_code gtr_exam_tensors(struct gtr_exam *exam, struct gtr_err *err);
enum gtr_code gtr_exam_spikes(struct gtr_exam *exam, struct gtr_err *err);

/* --- checks --------------------------------------------------------------------------------- */

typedef void gtr_check_run(struct gtr_exam *exam);

gtr_check_run gtr_check_sums, gtr_check_post_clip, gtr_check_unreduced, gtr_check_nonfinite,
    gtr_check_stale, gtr_check_dominant, gtr_check_silent, gtr_check_dead, gtr_check_spikes;
gtr_check_run gtr_check_poisoned, gtr_check_cap, gtr_check_spike_passes, gtr_check_collapse,
    gtr_check_always, gtr_check_never, gtr_check_empty, gtr_check_cold, gtr_check_cancelled,
    gtr_check_spill, gtr_check_raises;

#endif
