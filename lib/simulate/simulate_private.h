/* simulate_private.h - what the files of the simulator share: what was planted, and where. */
#ifndef GTR_SIMULATE_PRIVATE_H
#define GTR_SIMULATE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "groups.h"
#include "simulate.h"
#include "sumsq.h"

/* Each use of chance has a stream of its own, so that planting something moves nothing else. */
enum gtr_simulate_stream {
    GTR_STREAM_LEVELS,
    GTR_STREAM_SHARES,
    GTR_STREAM_LOSS,
    GTR_STREAM_CULPRIT,
    GTR_STREAM_SPIKES,
    GTR_STREAM_STRAYS,
    GTR_STREAM_BURSTS,
    GTR_STREAM_IDLE,
    GTR_STREAM_COMMON,
    GTR_STREAM_GROUPS,             /* this one and those after it: one for each group */
    GTR_STREAM_DOMINANT = 1 << 20, /* beyond all groups */
    GTR_STREAM_NONFINITE,
    GTR_STREAM_STALE,
    GTR_STREAM_DEAD,
    GTR_STREAM_DIED,
    GTR_STREAM_TENSORS
};

struct gtr_spike {
    size_t step, group;
    double factor;
};

/* Steps first .. last of a burst, or of the spell of an idle expert. */
struct gtr_stretch {
    size_t first, last;
    size_t expert;
};

/* What is wrong with the recording, to test what looks for it. */
struct gtr_faults {
    size_t dominant;                            /* a tensor; n_tensors: none */
    size_t *nonfinite, n_nonfinite, nan_tensor; /* steps; the tensor that has the NaNs */
    size_t *stale, n_stale;                     /* steps */
    size_t *dead, n_dead;                       /* tensors, rising */
    size_t *died, n_died, died_step;            /* groups, rising; from this step on */
    bool *silent;                               /* [P] of a dead tensor */
    bool *dying;                                /* [P] of a group that dies */
};

struct gtr_plants {
    struct gtr_faults faults;
    size_t culprit; /* a group */
    struct gtr_spike *spikes, *strays;
    size_t n_spikes, n_strays, strays_capacity;
    struct gtr_stretch *bursts, *spells; /* spells: by expert, then by time */
    size_t n_bursts, n_spells, spells_capacity;
    size_t change_step;   /* n_steps if nothing changes */
    size_t n_experts;     /* in all layers */
    size_t *of_tensor;    /* [P] expert of each tensor; n_experts if it is of none */
    size_t *first_tensor; /* of each expert */
};

/* Decides what happens where.  Free with gtr_plants_free, also after a failure. */
enum gtr_code gtr_plants_init(struct gtr_plants *plants, const struct gtr_simulation *simulation,
                              const struct gtr_head *head, const struct gtr_groups *groups,
                              struct gtr_err *err);
void gtr_plants_free(struct gtr_plants *plants);

/* ln n_j(t) of all groups into `log_norm` [T][G], which is 0 before. */
enum gtr_code gtr_norms_fill(const struct gtr_simulation *simulation,
                             const struct gtr_plants *plants, size_t n_groups, double *log_norm,
                             struct gtr_err *err);

/* What the recorded norms are multiplied by, besides what the run's own clipping did. */
double gtr_faults_factor(const struct gtr_scenario_params *params);

/* Length of "...experts.N" in the name of a tensor of an expert; 0 for others. */
size_t gtr_expert_name_length(const char *tensor);

/* Puts the arguments and the truth into the head's meta. */
enum gtr_code gtr_truth_set(const struct gtr_simulation *simulation,
                            const struct gtr_plants *plants, const struct gtr_groups *groups,
                            struct gtr_head *head, struct gtr_err *err);

/* Index of `name` among the names of one kind of thing, or an error that tells the nearest. */
enum gtr_code gtr_simulate_find(const char *kind, const char *name, const char *const *names,
                                size_t n_names, size_t *found, struct gtr_err *err);

/* --- elements --------------------------------------------------------------------------------- */

/* What a tensor's elements are made from; see simulate_elements.c. */
#define GTR_ELEMENTS_MEMORY 0.3
#define GTR_ELEMENTS_UNEVEN 1.0 /* deviation of ln s_e */

struct gtr_made_elements;

/* The sampling that the simulation asks for; fraction 0: all elements. */
struct gtr_sample gtr_simulation_sample(const struct gtr_simulation *simulation);

/* Makes the tensors f32, and refuses what would be too large.  *made is NULL if the simulation
 * keeps no elements. */
enum gtr_code gtr_made_elements_new(const struct gtr_simulation *simulation, struct gtr_head *head,
                                    struct gtr_made_elements **made, struct gtr_err *err);
void gtr_made_elements_free(struct gtr_made_elements *made);

/* The next step of one tensor: its elements have this sum of squares, but for rounding, which
 * *reduced tells.  The writer gets what is kept of them. */
enum gtr_code gtr_made_elements_next(struct gtr_made_elements *made, size_t tensor, double sumsq,
                                     struct gtr_writer *writer, struct gtr_reduction *reduced,
                                     struct gtr_err *err);

#endif
