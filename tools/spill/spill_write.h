/* spill_write.h - what spill found, for programs. */
#ifndef SPILL_WRITE_H
#define SPILL_WRITE_H

#include <stdio.h>

#include "spill_found.h"

/* One row per policy and group: policy group innocent received loss blamed share, then a column
 * "from CULPRIT" for each group: nats that the row's group paid for it at steps where it was
 * innocent.  Numbers read back exactly. */
void spill_tsv(FILE *f, const struct spill_found *found);

/* One row per policy, step and culprit: policy step culprit norm ratio blame excess attenuation;
 * ratio: of the norm to the group's running average. */
void spill_steps(FILE *f, const struct spill_found *found);

/* Everything but the single steps. */
enum gtr_code spill_json(FILE *f, const struct spill_found *found, struct gtr_err *err);

#endif
