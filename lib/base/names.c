/* names.c - open addressing over names that lie in one piece of memory. */
#include "names.h"

#include <string.h>

#include "alloc.h"
#include "digest.h"

const char *gtr_names_text(const struct gtr_names *names, uint32_t number)
{
    return names->text + names->starts[number];
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t slot_of(const struct gtr_names *names, const char *name)
{
    uint64_t hash = gtr_digest_bytes(GTR_DIGEST_START, name, strlen(name));
    size_t slot = (size_t)(hash ^ hash >> 32) & (names->n_slots - 1);

    while (names->slots[slot] != 0 &&
           strcmp(gtr_names_text(names, names->slots[slot] - 1), name) != 0)
        slot = (slot + 1) & (names->n_slots - 1);
    return slot;
}

uint32_t gtr_names_find(const struct gtr_names *names, const char *name)
{
    if (names->n_slots == 0)
        return GTR_NAMES_NONE;
    return names->slots[slot_of(names, name)] - 1; /* 0 - 1 is GTR_NAMES_NONE */
}

static enum gtr_code widen(struct gtr_names *names, struct gtr_err *err)
{
    size_t n = names->n_slots > 0 ? names->n_slots * 2 : 64, i;
    uint32_t *slots = NULL;
    enum gtr_code rc;

    rc = gtr_alloc_for(&slots, n, sizeof *slots, "names", err);
    if (rc != GTR_OK)
        return rc;
    gtr_free(names->slots);
    names->slots = slots;
    names->n_slots = n;
    for (i = 0; i < names->n_names; i++)
        slots[slot_of(names, gtr_names_text(names, (uint32_t)i))] = (uint32_t)i + 1;
    return GTR_OK;
}

enum gtr_code gtr_names_add(struct gtr_names *names, const char *name, uint32_t *number,
                            struct gtr_err *err)
{
    size_t size = strlen(name) + 1;
    enum gtr_code rc = GTR_OK;

    if (names->n_names >= UINT32_MAX / 2)
        return gtr_fail(err, GTR_EFORMAT, "%.60s: one name too many", name);
    if (names->n_names * 2 >= names->n_slots)
        rc = widen(names, err);
    if (rc == GTR_OK)
        rc = gtr_grow(&names->text, &names->text_capacity, names->n_text + size, 1, err);
    if (rc == GTR_OK)
        rc = gtr_grow(&names->starts, &names->starts_capacity, names->n_names + 1,
                      sizeof *names->starts, err);
    if (rc != GTR_OK)
        return rc;
    memcpy(names->text + names->n_text, name, size);
    names->starts[names->n_names] = names->n_text;
    names->n_text += size;
    *number = (uint32_t)names->n_names;
    /* Looked up only now: widening moved the slots. */
    names->slots[slot_of(names, name)] = *number + 1;
    names->n_names++;
    return GTR_OK;
}

void gtr_names_free(struct gtr_names *names)
{
    gtr_free(names->text);
    gtr_free(names->starts);
    gtr_free(names->slots);
    *names = (struct gtr_names){ 0 };
}
