/* segment_place.h - the place of one rank in a folder of segments, while it is written. */
#ifndef GTR_SEGMENT_PLACE_H
#define GTR_SEGMENT_PLACE_H

#include "segment.h"

struct gtr_place {
    char *folder; /* where it is written */
    char *name;   /* that the folder gets when all is written; NULL: it has it */
    int64_t rank;
    bool made; /* the folder, by this writer */
    int lock;
};

/* Makes the folder unless it is there, locks the rank, and removes what the rank has in it, which
 * is an error unless `force`.  `whole`: a new folder is written beside its name.  After a failure
 * there is nothing to leave. */
enum gtr_code gtr_place_take(struct gtr_place *place, const char *folder, int64_t rank, bool whole,
                             bool force, struct gtr_err *err);

/* Removes what the rank has there. */
void gtr_place_clear(const struct gtr_place *place);

/* Unlocks, and gives the folder its name if it has another. */
enum gtr_code gtr_place_finish(struct gtr_place *place, struct gtr_err *err);

/* Unlocks, removes a folder that this writer has made if nothing is in it, and frees. */
void gtr_place_leave(struct gtr_place *place);

#endif
