/* study.h - what every command that replays does first: open the trace, group its tensors, read
 * the norms, parse the policies. */
#ifndef STUDY_H
#define STUDY_H

#include "cli.h"

struct study {
    struct gtr_trace *trace;
    struct gtr_groups *groups;
    struct gtr_series *series;
    struct gtr_replay *replay;
    struct gtr_setting **settings; /* n_settings */
    char **labels; /* short and unique: "aggc", or the whole text if two are alike */
    size_t n_settings;
};

/* Policies are parsed and bound before the norms are read, so that a typing error costs no time.
 * Free with study_close, also after failure. */
enum gtr_code study_open(struct study *study, const char *path, const struct cli_common *common,
                         const struct cli_replay *replay, struct gtr_err *err);
void study_close(struct study *study);

/* The run's own optimizer, from its meta; if that tells nothing, AdamW as it is by default, and
 * false. */
bool study_optimizer(const struct study *study, struct gtr_optimizer *optimizer);

/* The same, and in words where it is from and what of the run's is not simulated. */
void study_optimizer_from(const struct study *study, struct gtr_optimizer *optimizer, char *text,
                          size_t size);

/* What is left of a policy's scales behind the optimizer, as norms tell it (study/proxy.h); behind
 * SGD, which remembers no sizes, the scales; behind Lion NaN: its update is a sign, of which norms
 * tell nothing.  `rows`: only these n_rows steps were seen; NULL: all.
 * *rho is [G][T]; free with gtr_free. */
enum gtr_code study_proxy(const struct study *study, const struct gtr_decisions *decisions,
                          const struct gtr_optimizer *optimizer, const int64_t *rows, size_t n_rows,
                          double **rho, struct gtr_err *err);

/* How long the run's Adam remembers squares, from its meta; 0.999 where that tells nothing, 0 for
 * an optimizer that keeps none. */
double study_beta2(const struct study *study);

/* The limit that the run itself had on the 2-norm of all, max_grad_norm or max_norm in its meta, at
 * the top or one level down; 0 if it is not there, or if norm_type says that it was of another
 * norm.  Then study_no_limit says why, for people; NULL if nothing is said. */
double study_own_limit(const char *meta);
const char *study_no_limit(const char *meta);

/* Each rank of an MPI run takes its share of the threads, or its GPU, and the first says so. */
void study_take_rank(struct cli_common *common, struct gtr_device *device);

/* "Replay is open loop: ..." - printed under every comparison. */
extern const char study_open_loop[];

/* What an expected interval is, and how far ahead single steps hold: printed where there is one. */
extern const char study_expected[];

#endif
