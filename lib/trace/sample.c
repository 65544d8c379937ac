/* sample.c - the k blocks with the smallest hashes, without sorting all of them.
 *
 * A histogram over the leading bits of the hashes tells in which bin the k-th smallest lies; only
 * the hashes of that bin are kept and sorted.  Hashing again is cheaper than remembering.
 */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "digest.h"
#include "random.h"
#include "text.h"

enum { BIN_BITS = 12, N_BINS = 1 << BIN_BITS, BLOCKS_MAX = 1 << 28 };

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t key_of(int64_t seed, const char *name)
{
    uint64_t state = (uint64_t)seed;

    state = gtr_splitmix_step(&state) + gtr_digest_bytes(GTR_DIGEST_START, name, strlen(name));
    return gtr_splitmix_step(&state);
}

static uint64_t hash_of(uint64_t key, uint64_t block)
{
    uint64_t state = key + block * GOLDEN;

    return gtr_splitmix_step(&state);
}

enum gtr_code gtr_sample_check(const struct gtr_sample *sampling, uint64_t numel,
                               struct gtr_err *err)
{
    if (sampling->block < 1)
        return gtr_fail(err, GTR_EUSAGE, "block: is %lld elements; must be at least 1",
                        (long long)sampling->block);
    if (!(sampling->fraction > 0.0 && sampling->fraction <= 1.0))
        return gtr_fail(err, GTR_EUSAGE, "fraction: is %g; must be above 0 and at most 1",
                        sampling->fraction);
    if (numel / (uint64_t)sampling->block >= BLOCKS_MAX)
        return gtr_fail(err, GTR_EUSAGE, "block: %lld elements make too many blocks of %llu",
                        (long long)sampling->block, (unsigned long long)numel);
    return GTR_OK;
}

enum gtr_code gtr_sample_parse(const char *text, double *fraction, struct gtr_err *err)
{
    const char *rest = gtr_text_number_prefix(text, fraction);
    double below = 1.0;

    if (rest != NULL && *rest == '/') {
        rest = gtr_text_number_prefix(rest + 1, &below);
        *fraction /= below;
    }
    if (rest != NULL && *rest == '\0' && *fraction > 0.0 && *fraction <= 1.0)
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE,
                    "fraction %.40s: must be above 0 and at most 1, such as 1/64 or 0.02", text);
}

static uint64_t blocks_of(const struct gtr_sample *sampling, uint64_t numel)
{
    uint64_t block = (uint64_t)sampling->block;

    return numel / block + (numel % block > 0);
}

uint64_t gtr_sample_n_blocks(const struct gtr_sample *sampling, uint64_t numel)
{
    uint64_t n = blocks_of(sampling, numel);
    double wanted = sampling->fraction * (double)n + 0.5;

    if (n <= 1 || wanted >= (double)n)
        return n;
    return wanted < 1.0 ? 1 : (uint64_t)wanted;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The k-th smallest hash of blocks 0 .. n - 1; 1 <= k <= n. */
static enum gtr_code find_limit(uint64_t key, uint64_t n, uint64_t k, uint64_t *limit,
                                struct gtr_err *err)
{
    uint64_t counts[N_BINS] = { 0 }, *hashes, b;
    enum gtr_code rc;
    size_t bin = 0, n_hashes = 0;

    for (b = 0; b < n; b++)
        counts[hash_of(key, b) >> (64 - BIN_BITS)]++;
    while (k > counts[bin])
        k -= counts[bin++];
    rc = gtr_alloc_for(&hashes, counts[bin], sizeof *hashes, "hashes", err);
    if (rc != GTR_OK)
        return rc;
    for (b = 0; b < n; b++) {
        uint64_t hash = hash_of(key, b);

        if (hash >> (64 - BIN_BITS) == bin)
            hashes[n_hashes++] = hash;
    }
    qsort(hashes, n_hashes, sizeof *hashes, compare_hashes);
    *limit = hashes[k - 1];
    gtr_free(hashes);
    return GTR_OK;
}

enum gtr_code gtr_sample_blocks(const struct gtr_sample *sampling, const char *name, uint64_t numel,
                                uint64_t **blocks, size_t *n_kept, struct gtr_err *err)
{
    enum gtr_code rc = gtr_sample_check(sampling, numel, err);
    uint64_t key = key_of(sampling->seed, name), limit = UINT64_MAX, n, k, b;

    *blocks = NULL;
    *n_kept = 0;
    if (rc != GTR_OK)
        return rc;
    n = blocks_of(sampling, numel);
    k = gtr_sample_n_blocks(sampling, numel);
    if (k < n)
        rc = find_limit(key, n, k, &limit, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(blocks, k, sizeof **blocks, "blocks", err);
    if (rc != GTR_OK)
        return rc;
    for (b = 0; b < n; b++)
        if (hash_of(key, b) <= limit)
            (*blocks)[(*n_kept)++] = b;
    return GTR_OK;
}

uint64_t gtr_sample_numel(const struct gtr_sample *sampling, const char *name, uint64_t numel)
{
    uint64_t block = (uint64_t)sampling->block, key = key_of(sampling->seed, name);
    uint64_t n = blocks_of(sampling, numel), k = gtr_sample_n_blocks(sampling, numel);
    uint64_t missing = n * block - numel; /* of the last block, if that is kept */
    uint64_t last, before = 0, b;

    if (k == n)
        return numel;
    if (missing == 0)
        return k * block;
    last = hash_of(key, n - 1);
    for (b = 0; b + 1 < n; b++)
        before += hash_of(key, b) < last;
    return before < k ? k * block - missing : k * block;
}
