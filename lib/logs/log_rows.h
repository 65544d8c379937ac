/* log_rows.h - a row of a log that names each of its numbers: JSON, consoles, event files.
 *
 *     {"step": 3, "loss": 2.5, "grad_norm": {"q_proj": 0.25}}
 *     iteration 3/ 100 | lm loss: 2.5 | grad norm: 0.25 |
 *
 * Whatever reads a format hands over keys and numbers; which of them is the step, the loss, the
 * learning rate or a norm is decided here, for all formats alike.  The key that counts steps is
 * chosen once, in the first row that has both one and anything to keep.
 */
#ifndef GTR_LOG_ROWS_H
#define GTR_LOG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "log_keys.h"
#include "logbook.h"

/* The best value that the present row has for a role. */
struct gtr_found {
    uint16_t rank;
    double value;
    uint32_t key;
    bool there;
};

struct gtr_log_rows {
    struct gtr_log *log;
    const struct gtr_columns *said;
    struct gtr_log_keys keys; /* the key under way is the caller's */
    struct gtr_found found[GTR_ROLE_COUNT];
    uint16_t best[GTR_ROLE_COUNT];     /* rank of the most usual key that a kept row had */
    double epoch;                      /* NaN: the row has none */
    char series[GTR_LOG_NAME_MAX + 2]; /* value of the name= key; one byte too long is told */
    uint32_t step_key;                 /* GTR_NAMES_NONE until it is chosen */
    uint64_t line;                     /* of the present row */
    size_t n_before;                   /* cells before it */
    bool counted;                      /* rows of this kind have no step: counted 1, 2, ... */
};

/* Checks what the user said, and takes the globs.  Free with gtr_log_rows_free, also after
 * failure. */
enum gtr_code gtr_log_rows_init(struct gtr_log_rows *rows, struct gtr_log *log,
                                const struct gtr_columns *said, struct gtr_err *err);
void gtr_log_rows_free(struct gtr_log_rows *rows);

void gtr_log_rows_begin(struct gtr_log_rows *rows, uint64_t line);

/* The value of the key under way, or of `key` alone. */
enum gtr_code gtr_log_rows_number(struct gtr_log_rows *rows, double value, struct gtr_err *err);
/* A whole number that could not be read exactly: no matter if its key means nothing. */
enum gtr_code gtr_log_rows_too_large(struct gtr_log_rows *rows, struct gtr_err *err);
enum gtr_code gtr_log_rows_take(struct gtr_log_rows *rows, const char *key, double value,
                                struct gtr_err *err);

/* A text: the name of a series, if its key is that of names; true if it was. */
bool gtr_log_rows_text(struct gtr_log_rows *rows, const char *text);

/* Keeps the row, or passes it over if there is nothing in it to keep. */
enum gtr_code gtr_log_rows_end(struct gtr_log_rows *rows, struct gtr_err *err);

/* After the last row: fails if there was no norm at all, and says which keys there were. */
enum gtr_code gtr_log_rows_finish(const struct gtr_log_rows *rows, struct gtr_err *err);

#endif
