/* sweep_cuda.h - the settings of a sweep on one GPU.
 *
 * A GPU has two slots.  While it works on the settings of one, the host writes parameters into the
 * other; both have their own queue, so that the end of one piece of work overlaps the start of the
 * next.  All calls for one GPU come from one thread.
 */
#ifndef GTR_SWEEP_CUDA_H
#define GTR_SWEEP_CUDA_H

#include "cuda.h"
#include "err.h"
#include "objectives.h"
#include "sweep_rows.h"

enum { GTR_SWEEP_SLOTS = 2 };

struct gtr_sweep_gpu;

/* A slot's work. */
struct gtr_sweep_load {
    enum gtr_policy_id policy;
    size_t n;        /* settings */
    size_t n_params; /* structs each has: 1 that all groups share, or n_groups */
    int scales_only;
    int usual;          /* gtr_policy_is_usual holds for all of them */
    size_t n_keys;      /* look-backs that are given; 0: the policy does not look back */
    int whole_gradient; /* of the policy: it also decides for the group that is left out */
};

#ifdef __cplusplus
extern "C" {
#endif

/* Room in each slot for n_settings, n_params structs and n_keys look-backs.  Free with
 * gtr_sweep_gpu_close, also after failure. */
enum gtr_code gtr_sweep_gpu_open(int number, const struct gtr_sweep_rows *rows, size_t n_settings,
                                 size_t n_params, size_t n_keys, struct gtr_sweep_gpu **gpu,
                                 struct gtr_err *err);
void gtr_sweep_gpu_close(struct gtr_sweep_gpu *gpu);

/* Where the parameters of a slot go, [n][n_params], and its objectives come back,
 * [n][GTR_OBJECTIVE_COUNT].  Not to be touched between start and wait. */
union gtr_params *gtr_sweep_gpu_params(struct gtr_sweep_gpu *gpu, size_t slot);
/* Where look-backs go, [n_keys][n_rows][GTR_GIVEN], and which of them each setting has, [n]. */
double *gtr_sweep_gpu_given(struct gtr_sweep_gpu *gpu, size_t slot);
uint32_t *gtr_sweep_gpu_key(struct gtr_sweep_gpu *gpu, size_t slot);
const double *gtr_sweep_gpu_out(const struct gtr_sweep_gpu *gpu, size_t slot);

/* Queues the work of a slot, and waits for it. */
enum gtr_code gtr_sweep_gpu_start(struct gtr_sweep_gpu *gpu, size_t slot,
                                  const struct gtr_sweep_load *load, struct gtr_err *err);
enum gtr_code gtr_sweep_gpu_wait(struct gtr_sweep_gpu *gpu, size_t slot, struct gtr_err *err);

#ifdef __cplusplus
}
#endif

#endif
