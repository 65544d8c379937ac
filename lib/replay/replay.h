/* replay.h - what policies would have done with a recorded run.
 *
 * Replay is open loop: exact for the recorded gradients, while another policy would have led to
 * other gradients.
 */
#ifndef GTR_REPLAY_H
#define GTR_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "err.h"
#include "series.h"
#include "setting.h"

union gtr_params;
struct gtr_lane_input;
struct gtr_look_step;

GTR_PUBLIC_BEGIN

enum gtr_nonfinite_rule {
    GTR_SKIP_STEP, /* every policy skips the step, as AMP and most trainers do */
    GTR_PROPAGATE  /* the norm is NaN, and each policy does what its reference does */
};

struct gtr_replay_options {
    size_t size;         /* set by _init */
    int64_t total_steps; /* planned steps for schedules; 0: the trace's own; -1: unknown */
    enum gtr_nonfinite_rule nonfinite;
    size_t n_threads;         /* 0: all processors */
    int keep_interval;        /* also keep lower and upper */
    struct gtr_device device; /* what runs the lanes; never changes a result */
};

void gtr_replay_options_init(struct gtr_replay_options *options, size_t size);
#define gtr_replay_options_init(options) gtr_replay_options_init((options), sizeof *(options))

/* What all replays of one trace share.  Borrows the series. */
struct gtr_replay;

enum gtr_code gtr_replay_new(const struct gtr_series *series,
                             const struct gtr_replay_options *options, struct gtr_replay **replay,
                             struct gtr_err *err);
void gtr_replay_free(struct gtr_replay *replay);

const uint8_t *gtr_replay_skip(const struct gtr_replay *replay); /* [T] steps left out */
int64_t gtr_replay_total_steps(const struct gtr_replay *replay); /* 0: unknown */

/* The decisions of one setting: [G][T] arrays.  Skipped steps hold NaN; so does the
 * scale of a step that the policy left out, which has GTR_FLAG_SKIPPED in all groups. */
struct gtr_decisions {
    size_t n_groups, n_steps;
    enum gtr_policy_id policy;
    union gtr_params *params; /* [G] as bound and fitted */
    double *scale;
    double *lower; /* NULL unless keep_interval */
    double *upper;
    uint8_t *flags; /* GTR_FLAG_... of policy_list.h */
};

/* GTR_SERIES_... that a setting needs, for gtr_series_read_with; 0 for most. */
unsigned gtr_setting_series(const struct gtr_setting *setting);

/* Runs one lane per group.  A setting that needs what the series does not have (losses, largest
 * elements, weights) is an error that names it.  The group that the rule left out of clipping keeps
 * scale 1, unless the policy decides for the whole gradient.  Free with gtr_decisions_free. */
enum gtr_code gtr_replay_run(const struct gtr_replay *replay, const struct gtr_setting *setting,
                             struct gtr_decisions **decisions, struct gtr_err *err);
void gtr_decisions_free(struct gtr_decisions *decisions);

GTR_PUBLIC_END

const struct gtr_series *gtr_replay_series(const struct gtr_replay *replay);
const double *gtr_replay_progress(const struct gtr_replay *replay); /* [T] as policies see it */
const double *gtr_replay_total(const struct gtr_replay *replay); /* [T]; as norms are propagated */

/* What all groups' lanes read of group j, without its energies, and what the policy's look-back
 * gives.
 */
void gtr_replay_input(const struct gtr_replay *replay, size_t group, struct gtr_lane_input *in);

/* What a look-back reads of step t, but for the count of steps. */
void gtr_replay_look_step(const struct gtr_replay *replay, size_t t, struct gtr_look_step *step);

/* The setting's parameters need what the series does not have? */
enum gtr_code gtr_replay_check(const struct gtr_replay *replay, const struct gtr_setting *setting,
                               const union gtr_params *params, struct gtr_err *err);
size_t gtr_replay_n_threads(const struct gtr_replay *replay);

/* Copies one group's norms (group == n_groups: the whole gradient's) at the steps not skipped, in
 * step order, into `norms`, which has room for n_steps.  Returns how many. */
size_t gtr_replay_norms(const struct gtr_replay *replay, size_t group, double *norms);

#endif
