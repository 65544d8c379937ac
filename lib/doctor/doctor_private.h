/* doctor_private.h - what the checks share: the patient, what was measured once, how to tell.
 *
 * A check is a function of the exam that adds findings.  It sees either the run, or one policy,
 * whose decisions are then in exam->decisions.
 */
#ifndef GTR_DOCTOR_PRIVATE_H
#define GTR_DOCTOR_PRIVATE_H

#include "doctor.h"
#include "doctor_line.h"
#include "policy.h"

/* Every threshold, once: X(NAME, code, value, what, why). */
#define GTR_DOCTOR_THRESHOLDS(X)                                                                  \
    X(START, "first-steps", 4.0,                                                                  \
      "times its first and its later value is the norm of an early step, where the loss rises "   \
      "too",                                                                                      \
      "without the loss beside it a warm-up looks like that")                                     \
    X(START_ALONE, "first-steps", 10.0, "the same, by the norm alone",                            \
      "in health it reached 4 times in small trainings")                                          \
    X(START_FAR, "first-steps", 30.0,                                                             \
      "times its later value, where the loss rises too; or the first norm over soon after it",    \
      "a norm falls by less in a few healthy steps")                                              \
    X(START_LOSS, "first-steps", 1.2, "times the first is an early loss: it rises",               \
      "batches differ by less at the start, when all are guesses")                                \
    X(START_JUMP, "first-steps", 1.5, "times the first is an early loss, whatever the norm does", \
      "a loss above that of guessing is that of a broken model")                                  \
    X(LOSS_SIGMAS, "loss", 10.0, "deviations above its last 32",                                  \
      "batches are skewed, and 6 are reached in health")                                          \
    X(LOSS_RATIO, "loss", 1.5, "times their median, at least",                                    \
      "losses that hardly vary have tiny deviations")                                             \
    X(LOSS_BACK, "loss", 0.4, "of what was learnt so far is lost, at least",                      \
      "near the end of training a loss of .02 is twice one of .01")                               \
    X(LOSS_OFTEN, "loss", 0.02, "of the steps are that high, at most, to be told apart",          \
      "a loss that is often high has heavy tails")                                                \
    X(LOSS_FALL, "loss", 0.2,                                                                     \
      "of all that is learnt is learnt within a few steps, and half of the loss", "")             \
    X(LOSS_JUMP, "loss", 1.3, "times the loss before, where it stays high for a while", "")       \
    X(DIVERGED, "divergence", 0.2, "of what was learnt is lost again in the last tenth",          \
      "less is the noise of a few batches")                                                       \
    X(DIVERGED_RATIO, "divergence", 1.1, "times the best tenth's loss, at least", "")             \
    X(DIVERGED_ALONE, "divergence", 1.5, "times the first loss, where it never fell",             \
      "that is worse than guessing")                                                              \
    X(LEVEL_JUMP, "level", 2.5, "times or a part of it is a jump of the global norm",             \
      "steps of a learning rate's schedule make less")                                            \
    X(LEVEL_GROUP, "level", 8.0, "the same of one group",                                         \
      "there are many, and small ones move more")                                                 \
    X(LEVEL_UP, "level", 10.0, "times as large in the last tenth as before",                      \
      "norms that rise as training goes on rise by less")                                         \
    X(LEVEL_SINCE, "level", 25.0, "times as large in the last tenth as in the second", "")        \
    X(LEVEL_DOWN, "level", 100.0, "times smaller in the last tenth than before",                  \
      "a model that learns its data by heart gets so far only with its loss")                     \
    X(LEVEL_LOSS, "level", 0.5, "times the loss before: with it the norm may fall",               \
      "what is learnt is learnt in more than a few steps")                                        \
    X(FADED, "vanishing", 30.0, "times less, beside the whole gradient, from some tenth on",      \
      "in health shares of a tensor move by less than 10 after the first tenth")                  \
    X(FADED_SLOWLY, "vanishing", 100.0,                                                           \
      "times less in the last tenth than in the second to fourth", "")                            \
    X(VANISHED, "vanishing", 1e-4, "of another matrix's gradient per element, at most",           \
      "in health the smallest has 1 / 200")                                                       \
    X(PILES_SMOOTH, "piles-up", 0.2,                                                              \
      "correlation of neighbouring changes of ln norm, on average over tenths of the run",        \
      "of batches it is near -1/2, of sums of all gradients so far near 1")                       \
    X(PILES_RISE, "piles-up", 4.0, "times as high at the end as before, at least",                \
      "norms of whole data are smooth too, and fall")                                             \
    X(PERIODIC, "periodic", 0.5, "correlation of changes so many steps apart, .8 of it at twice", \
      "of batches that are drawn it is 0")                                                        \
    X(PERIODIC_SMOOTH, "periodic", 0.3, "correlation of neighbours, at most",                     \
      "what changes smoothly agrees at all distances")                                            \
    X(SCALE_NEAR, "loss-scale", 0.15, "of ln, between all groups' changes and a power of two",    \
      "medians of a window have noise")                                                           \
    X(DOMINANT, "dominant-tensor", 0.6, "of the energy, at the median step: a note",              \
      "output layers and embeddings of small models have it in health")                           \
    X(DOMINANT_INNER, "dominant-tensor", 0.9,                                                     \
      "the same of one that is neither at the start nor "                                         \
      "at the end: a warning",                                                                    \
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
    X(SPIKE_TOTAL, "spikes", 8.0,                                                                 \
      "times the median of its last 128, of the global norm, twice or with a high loss: a "       \
      "warning; else a note",                                                                     \
      "a single high norm that the loss does not follow is met in health")                        \
    X(SPIKE_ALONE, "spikes", 30.0, "times that median, once: a warning as well",                  \
      "in health single ones reach 10")                                                           \
    X(SPIKE_LOSS, "spikes", 4.0, "deviations above its last 32: a high loss", "")                 \
    X(SPIKE_OFTEN, "spikes", 0.01, "of the steps, and 5 at least: a warning too, where",          \
      "strays are rarer")                                                                         \
    X(SPIKE_TWICE, "spikes", 2.0, "times its median is reached by the global norm", "")           \
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
    X(SPILL, "spill-over", 0.25, "of all clipping is spill-over, as `spill` has it: a warning",   \
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

enum { GTR_TENSOR_PARTS = 10, GTR_LINE_LEAST = 128 }; /* the least that has windows */

/* Tensors, from one pass over the trace. */
struct gtr_tensor_facts {
    size_t dominant;        /* has more than half of the energy at most steps; n_tensors: none */
    double dominant_median; /* its share, median over the steps */
    uint64_t *n_nonfinite;  /* [P] steps at which the tensor was not finite */
    bool *silent;           /* [P] sum of squares 0 and all finite, at all steps */
    size_t *silent_from;    /* [P] row from which on that is so to the end; T: it is not */
    size_t longest_break;   /* rows of the longest such spell that ended, of any tensor */
    double *level;          /* [P][PARTS] sum over the rows of a part of ln(norm / global norm) */
    double *n_levels;       /* [P][PARTS] how many */
    size_t first_bad;       /* row of the first that is not finite; T: none */
    uint8_t *bad_at_first;  /* [P] is the tensor not finite there? */
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

    struct gtr_line total; /* ln of the global norm, where it is finite and above 0 */
    struct gtr_line loss;  /* where it is known and finite */
    struct gtr_line group; /* of gtr_exam_take_group */
    bool loss_counts;      /* it is positive throughout, so that its height means something */
    double loss_learnt;    /* its fall from the start to its best tenth */

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

/* The check at work was not made: for want of steps, or because of `why`. */
void gtr_exam_not_made(struct gtr_exam *exam, size_t needed, size_t n);
void gtr_exam_cannot(struct gtr_exam *exam, const char *why);

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

/* Fills exam->total and exam->loss. */
enum gtr_code gtr_exam_lines(struct gtr_exam *exam, struct gtr_err *err);
void gtr_exam_take_group(struct gtr_exam *exam, size_t group);

/* Median loss of rows from .. to - 1; NaN if there is none. */
double gtr_exam_loss_around(const struct gtr_exam *exam, size_t from, size_t to);

/* Does the run compute in 16 bits with few exponents: does a tensor, or its meta, say fp16? */
bool gtr_exam_is_half(const struct gtr_exam *exam);

/* Does the learning rate change by half or more in the 8 rows up to this one?  From what, to
 * what. */
bool gtr_rate_changes(const struct gtr_exam *exam, size_t row, double *was, double *is);

/* Says that the learning rate changes at a row, if it does. */
void gtr_tell_rate(struct gtr_exam *exam, struct gtr_finding *finding, size_t row);

/* The row from which on a tensor's ln(norm / global norm) stays below `level`. */
enum gtr_code gtr_exam_fading_row(struct gtr_exam *exam, size_t tensor, double level, size_t *row,
                                  struct gtr_err *err);

enum gtr_code gtr_exam_tensors(struct gtr_exam *exam, struct gtr_err *err);
enum gtr_code gtr_exam_spikes(struct gtr_exam *exam, struct gtr_err *err);

/* --- checks --------------------------------------------------------------------------------- */

typedef void gtr_check_run(struct gtr_exam *exam);

gtr_check_run gtr_check_sums, gtr_check_post_clip, gtr_check_unreduced, gtr_check_nonfinite,
    gtr_check_stale, gtr_check_dominant, gtr_check_silent, gtr_check_dead, gtr_check_spikes,
    gtr_check_start, gtr_check_loss, gtr_check_divergence, gtr_check_level, gtr_check_vanishing,
    gtr_check_piles, gtr_check_periodic, gtr_check_loss_scale;
gtr_check_run gtr_check_poisoned, gtr_check_cap, gtr_check_spike_passes, gtr_check_collapse,
    gtr_check_always, gtr_check_never, gtr_check_empty, gtr_check_cold, gtr_check_cancelled,
    gtr_check_spill, gtr_check_raises;

#endif
