/* catalogue_rows.h - what the tables of the catalogue are written with. */
#ifndef GTR_CATALOGUE_ROWS_H
#define GTR_CATALOGUE_ROWS_H

#include <math.h>

#include "alloc.h"
#include "params.h"

/* Catches a field without a row, or a row without a field: all parameters are doubles. */
#define EACH_FIELD_HAS_A_ROW(stem)                                    \
    _Static_assert(sizeof(struct gtr_##stem##_params) ==              \
                       GTR_ARRAY_LEN(stem##_params) * sizeof(double), \
                   "each " #stem " parameter has one row")

/* What every entry says of itself. */
#define ENTRY(ID, stem)                                                  \
    .id = ID, .unit = (enum gtr_unit)ID##_UNIT, .params = stem##_params, \
    .n_params = GTR_ARRAY_LEN(stem##_params)

#endif
