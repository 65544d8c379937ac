/* stability.c - Spearman's correlation and the overlap of the best, by sorting each side once. */
#include "stability.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc.h"

struct entry {
    double value;
    size_t setting;
};

static int by_value(const void *a, const void *b)
{
    const struct entry *p = a, *q = b;

    if (p->value != q->value)
        return p->value < q->value ? -1 : 1;
    return p->setting < q->setting ? -1 : p->setting > q->setting;
}

/* Ranks from 1, equal values with the mean of theirs; entries are left sorted. */
static void rank_all(struct entry *entries, size_t n, double *rank)
{
    size_t i, j, end;

    qsort(entries, n, sizeof *entries, by_value);
    for (i = 0; i < n; i = end) {
        for (end = i + 1; end < n && entries[end].value == entries[i].value; end++)
            ;
        for (j = i; j < end; j++)
            rank[entries[j].setting] = 0.5 * (double)(i + 1 + end);
    }
}

static double correlation(const double *a, const double *b, size_t n)
{
    double mean = 0.5 * (double)(n + 1), ab = 0.0, aa = 0.0, bb = 0.0;
    size_t i;

    for (i = 0; i < n; i++) {
        ab += (a[i] - mean) * (b[i] - mean);
        aa += (a[i] - mean) * (a[i] - mean);
        bb += (b[i] - mean) * (b[i] - mean);
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : (double)NAN;
}

/* Entries are sorted; `best` is scratch, zeroed. */
static double overlap(const struct entry *a, const struct entry *b, size_t n, uint8_t *best)
{
    size_t tenth = (n + 9) / 10, shared = 0, i;

    for (i = 0; i < tenth; i++)
        best[a[i].setting] = 1;
    for (i = 0; i < tenth; i++)
        shared += best[b[i].setting];
    return (double)shared / (double)tenth;
}

enum gtr_code gtr_stability_run(const double *values_a, const double *values_b, size_t n,
                                struct gtr_stability *out, struct gtr_err *err)
{
    struct entry *a = NULL, *b = NULL;
    double *rank_a = NULL, *rank_b = NULL;
    uint8_t *best = NULL;
    enum gtr_code rc;
    size_t i;

    out->n = 0;
    rc = gtr_alloc_for(&a, n, sizeof *a, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b, n, sizeof *b, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&rank_a, n, sizeof *rank_a, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&rank_b, n, sizeof *rank_b, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&best, n, 1, "settings", err);
    if (rc != GTR_OK)
        goto out;
    for (i = 0; i < n; i++) {
        if (isnan(values_a[i]) || isnan(values_b[i]))
            continue;
        /* Numbered anew, in the old order. */
        a[out->n] = (struct entry){ values_a[i], out->n };
        b[out->n] = (struct entry){ values_b[i], out->n };
        out->n++;
    }
    rank_all(a, out->n, rank_a);
    rank_all(b, out->n, rank_b);
    out->rank_correlation = correlation(rank_a, rank_b, out->n);
    out->best_overlap = overlap(a, b, out->n, best); /* 0 / 0 is the NaN of no settings */
out:
    gtr_free(a);
    gtr_free(b);
    gtr_free(rank_a);
    gtr_free(rank_b);
    gtr_free(best);
    return rc;
}
