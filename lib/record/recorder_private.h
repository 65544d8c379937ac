/* recorder_private.h - a recorder as recorder.c and recorder_step.c see it. */
#ifndef GTR_RECORDER_PRIVATE_H
#define GTR_RECORDER_PRIVATE_H

#include "recorder.h"

struct gtr_recorder {
    char *path;
    struct gtr_head head;
    bool force;
    bool keeps;         /* elements are captured at some steps */
    struct gtr_sample sampling; /* of them; fraction 0: all are kept */
    struct gtr_recorder_blocks *blocks; /* [P] of a sample, from the first step on */
    void *sample;       /* room for the largest tensor's */
    int64_t every, first, last;
    size_t n_threads;
    struct gtr_writer *writer; /* NULL before the first step */
    uint64_t n_steps;   /* completed */
    bool in_step;
    bool capturing;     /* the step under way keeps its elements */
    struct gtr_step step; /* under way, else the last completed */
    double started;     /* clock at the first step */
    double *sumsq;      /* of the step under way, one per tensor, as the next three */
    float *maxabs;
    uint64_t *nonfinite;
    bool *given;
    struct gtr_err failure; /* of a write; from then on all calls return it */
};

/* Finds out which blocks of each tensor are kept. */
enum gtr_code gtr_recorder_elements_init(struct gtr_recorder *recorder, struct gtr_err *err);
void gtr_recorder_elements_free(struct gtr_recorder *recorder);

/* Gives the writer what is kept of these elements; NULL: of zeros. */
enum gtr_code gtr_recorder_keep(struct gtr_recorder *recorder, size_t tensor, const void *elements,
                                struct gtr_err *err);

/* Remembers a failed write, so that later calls can tell it again.  Returns its code. */
enum gtr_code gtr_recorder_fail(struct gtr_recorder *recorder, const struct gtr_err *failure,
                                struct gtr_err *err);

/* The code of a write that failed before, told again; else GTR_OK. */
enum gtr_code gtr_recorder_failed(const struct gtr_recorder *recorder, struct gtr_err *err);

#endif
