/* log_keys.h - the keys of a log that names each number: what each one is, found when first met.
 *
 * Keys of objects inside objects are joined, by slashes and by dots at the same time; a glob or a
 * name that the user gives may match either.
 */
#ifndef GTR_LOG_KEYS_H
#define GTR_LOG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "columns.h"
#include "err.h"
#include "logbook.h"
#include "names.h"

struct gtr_log_key {
    uint32_t owner; /* its number among the log's names; GTR_LOG_NOT_SERIES */
    uint16_t role;  /* enum gtr_role; GTR_ROLE_COUNT: none */
    uint16_t rank;  /* how usual it is for that role */
    bool is_epoch;  /* counts epochs */
};

struct gtr_log_keys {
    struct gtr_log *log;
    const struct gtr_columns *said;
    char *slashes, *dots; /* the key under way, joined in both ways */
    size_t n, slashes_capacity, dots_capacity;
    struct gtr_names names;   /* of all keys that had a number */
    struct gtr_log_key *keys; /* [names.n_names] */
    size_t keys_capacity;
};

/* Appends a part to the key under way.  To take it off again, put `n` back. */
enum gtr_code gtr_log_keys_push(struct gtr_log_keys *keys, const char *part, struct gtr_err *err);
bool gtr_log_keys_are(const struct gtr_log_keys *keys, const char *text);

/* The number of the key under way. */
enum gtr_code gtr_log_keys_intern(struct gtr_log_keys *keys, uint64_t line, uint32_t *number,
                                  struct gtr_err *err);
const char *gtr_log_keys_text(const struct gtr_log_keys *keys, uint32_t number);
void gtr_log_keys_free(struct gtr_log_keys *keys);

#endif
