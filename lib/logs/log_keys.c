/* log_keys.c - joining keys, and telling steps, losses and series apart. */
#include "log_keys.h"

#include <string.h>

#include "alloc.h"

enum gtr_code gtr_log_keys_push(struct gtr_log_keys *keys, const char *part, struct gtr_err *err)
{
    size_t joint = keys->n > 0 ? 1 : 0, length = strlen(part), n = keys->n + joint + length;
    enum gtr_code rc;

    rc = gtr_grow(&keys->slashes, &keys->slashes_capacity, n + 1, 1, err);
    if (rc == GTR_OK)
        rc = gtr_grow(&keys->dots, &keys->dots_capacity, n + 1, 1, err);
    if (rc != GTR_OK)
        return rc;
    if (joint) {
        keys->slashes[keys->n] = '/';
        keys->dots[keys->n] = '.';
    }
    memcpy(keys->slashes + keys->n + joint, part, length + 1);
    memcpy(keys->dots + keys->n + joint, part, length + 1);
    keys->n = n;
    return GTR_OK;
}

bool gtr_log_keys_are(const struct gtr_log_keys *keys, const char *text)
{
    return strcmp(keys->slashes, text) == 0 || strcmp(keys->dots, text) == 0;
}

/* The role of the key under way, if it has one. */
static void find_role(const struct gtr_log_keys *keys, struct gtr_log_key *key)
{
    static const enum gtr_role roles[] = { GTR_ROLE_STEP, GTR_ROLE_LOSS, GTR_ROLE_LR, GTR_ROLE_NORM,
                                           GTR_ROLE_SUMSQ };
    const char *const *given = keys->said->given;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(roles); i++) {
        enum gtr_role role = roles[i];
        bool a_norm = role == GTR_ROLE_NORM || role == GTR_ROLE_SUMSQ;
        size_t rank;

        if (a_norm && (given[GTR_ROLE_NAME] == NULL || given[role] == NULL))
            continue;
        if (given[role] != NULL)
            rank = gtr_log_keys_are(keys, given[role]) ? 0 : SIZE_MAX;
        else
            rank = gtr_role_rank(role, keys->slashes);
        if (rank == SIZE_MAX)
            continue;
        key->role = (uint16_t)role;
        key->rank = (uint16_t)rank;
        return;
    }
}

/* The series of the key under way, if it is one; called by its dotted form if that matched. */
static enum gtr_code find_series(struct gtr_log_keys *keys, struct gtr_log_key *key, uint64_t line,
                                 struct gtr_err *err)
{
    const struct gtr_globs *globs = &keys->log->globs;
    const char *text = keys->slashes;
    size_t glob = gtr_globs_find_column(globs, text);
    bool added;

    if (glob == globs->n_globs) {
        text = keys->dots;
        glob = gtr_globs_find_column(globs, text);
    }
    if (glob == globs->n_globs)
        return GTR_OK;
    return gtr_log_intern(keys->log, text, (uint32_t)glob, line, &key->owner, &added, err);
}

enum gtr_code gtr_log_keys_intern(struct gtr_log_keys *keys, uint64_t line, uint32_t *number,
                                  struct gtr_err *err)
{
    struct gtr_log_key key = { .owner = GTR_LOG_NOT_SERIES, .role = GTR_ROLE_COUNT };
    enum gtr_code rc;

    *number = gtr_names_find(&keys->names, keys->slashes);
    if (*number != GTR_NAMES_NONE)
        return GTR_OK;
    find_role(keys, &key);
    key.is_epoch = key.role == GTR_ROLE_COUNT && gtr_columns_is_epoch(keys->slashes);
    gtr_log_saw(keys->log, keys->slashes);
    rc = gtr_grow(&keys->keys, &keys->keys_capacity, keys->names.n_names + 1, sizeof key, err);
    if (rc == GTR_OK && key.role == GTR_ROLE_COUNT && keys->said->given[GTR_ROLE_NAME] == NULL)
        rc = find_series(keys, &key, line, err);
    if (rc == GTR_OK)
        rc = gtr_names_add(&keys->names, keys->slashes, number, err);
    if (rc == GTR_OK)
        keys->keys[*number] = key;
    return rc;
}

const char *gtr_log_keys_text(const struct gtr_log_keys *keys, uint32_t number)
{
    return gtr_names_text(&keys->names, number);
}

void gtr_log_keys_free(struct gtr_log_keys *keys)
{
    gtr_free(keys->slashes);
    gtr_free(keys->dots);
    gtr_free(keys->keys);
    gtr_names_free(&keys->names);
}
