/* table_roles.h - what the columns of a table are, from its header. */
#ifndef GTR_TABLE_ROLES_H
#define GTR_TABLE_ROLES_H

#include <stddef.h>
#include <stdint.h>

#include "logbook.h"
#include "table.h"

#define GTR_NOWHERE SIZE_MAX

/* A column of a wide table may be a series. */
enum gtr_column_use { GTR_USE_NOT, GTR_USE_IF_NUMERIC, GTR_USE_SERIES };

struct gtr_column {
    enum gtr_column_use use;
    uint32_t name; /* number among the log's names */
};

struct gtr_table_roles {
    struct gtr_log *log;
    struct gtr_table table;
    const struct gtr_columns *said;
    char **header;
    size_t n_columns;
    size_t at[GTR_ROLE_COUNT];  /* column of each role, or GTR_NOWHERE */
    size_t epoch;               /* column that counts epochs, or GTR_NOWHERE */
    bool norms;                 /* a row had one */
    struct gtr_column *columns; /* of a wide table; NULL: it is long */
};

/* Takes the table's present row as the header. */
enum gtr_code gtr_table_roles_find(struct gtr_table_roles *roles, struct gtr_err *err);
void gtr_table_roles_free(struct gtr_table_roles *roles);

#endif
