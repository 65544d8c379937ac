/* tree.h - sums in a perfect binary tree over their index, padded with +0 to a power of two, as
 * they come in: level by level s[i] = s[2i] + s[2i + 1].
 *
 * `pending` has room for gtr_tree_levels(n) rows of `width` numbers, which are added side by side.
 * Row `level` is a finished subtree of 2^level sums that waits for its right neighbour if that bit
 * of the number of sums so far is set.
 */
#ifndef GTR_TREE_H
#define GTR_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { GTR_TREE_LEVELS_MAX = 64 };

/* Levels that n sums need. */
static inline size_t gtr_tree_levels(uint64_t n)
{
    size_t levels = 1;

    for (; n > 1; n >>= 1)
        levels++;
    return levels;
}

/* Adds sum number n, counted from 0.  Writes over `sum`. */
static inline void gtr_tree_add(double *pending, size_t width, uint64_t n, double *sum)
{
    for (; n & 1; n >>= 1, pending += width) {
        size_t i;

        for (i = 0; i < width; i++)
            sum[i] = pending[i] + sum[i];
    }
    memcpy(pending, sum, width * sizeof *sum);
}

/* The tree of n sums; of none, +0.  Padding adds +0, which changes nothing, so the subtrees that
 * wait just meet. */
static inline void gtr_tree_sum(const double *pending, size_t width, uint64_t n, double *sum)
{
    memset(sum, 0, width * sizeof *sum);
    for (; n > 0; n >>= 1, pending += width) {
        size_t i;

        for (i = 0; (n & 1) && i < width; i++)
            sum[i] = pending[i] + sum[i];
    }
}

#endif
