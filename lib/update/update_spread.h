/* update_spread.h - standard errors of totals estimated from a sample of blocks.
 *
 * Of tensor h's N blocks k are kept, drawn without replacement; together they hold n of its M
 * elements.  With the block sums u, c, a of a policy and z = sum u_none^2, a group's totals are
 * U = sum_h w sum u with w = M / n, and C, A, Z likewise.  Unless the tensor's last block is short,
 * w = N / k, and totals have no bias; with it, they are the ratio estimate, whose bias is of the
 * order of 1 / k of the little by which that block is short, and which does not depend on whether
 * the short block was drawn.
 *
 * The usual estimate (Cochran, Sampling Techniques, 1977, theorem 2.2 and chapter 5) of their
 * variances and covariances is, the tensors being drawn apart,
 *
 *     V(x, y) = sum_h  w^2 k (1 - k/N)  *  (sum x y - sum x sum y / k) / (k - 1)
 *
 * where (1 - k/N) is the finite population correction: a tensor with all its blocks has no error.
 * A short block that was drawn counts as one that differs: the error is then too large rather than
 * too small.
 *
 * One block says nothing about spread.  The L tensors of a group of which one block was kept are
 * taken together as if they were draws of one population, in which a tensor's total is in
 * proportion to M ("collapsed strata", Cochran section 5A.12): with t = w x of each, T their sum,
 * and e = t - T M / sum M,
 *
 *     V(x, y) += L / (L - 1) sum_h e_x e_y
 *
 * which is too large rather than too small.  If L = 1 the error is not known: NaN.
 *
 * What is derived from totals follows by its gradient (the delta method):
 *
 *     norm = sqrt U               V = V(u, u) / (4 U)
 *     ratio = sqrt(C / Z)         V = (V(c, c) - 2 q V(c, z) + q^2 V(z, z)) / (4 C Z),  q = C / Z
 *     cosine = A / sqrt(U Z)      V = V(r, r) / (U Z),  r = a - A u / (2 U) - A z / (2 Z)
 *
 * k blocks tell of their spread with k - 1 degrees of freedom, and the sum over tensors with what
 * Satterthwaite (1946) gives it, taken of the change:
 *
 *     freedom = (sum_h V(c, c))^2 / sum_h (V(c, c)^2 / (k - 1))
 *
 * so that an interval of Student's t with that freedom covers as often as it says, also of 2 or 3
 * blocks that differ much.
 *
 * The bias correction of the optimizer multiplies every total alike: the norm's error by its root,
 * no other.
 */
#ifndef GTR_UPDATE_SPREAD_H
#define GTR_UPDATE_SPREAD_H

#include "update.h"
#include "update_engine.h"

/* Pairs of block sums or totals u, c, a, z; their products are symmetric. */
enum { GTR_UU, GTR_CC, GTR_AA, GTR_ZZ, GTR_UZ, GTR_CZ, GTR_AZ, GTR_UA, GTR_UPDATE_PAIRS };

/* Of one policy, group and row, as its tensors come.  Starts as zeros. */
struct gtr_update_spread {
    double variance[GTR_UPDATE_PAIRS];
    double freedom_squares;              /* sum of V(c, c)^2 / (k - 1), each tensor's */
    double products[GTR_UPDATE_PAIRS];   /* of the single blocks' t */
    double n_single, size, size_squares; /* L, sum M, sum M^2 */
    double t[4], size_t_sum[4];          /* sum t, sum M t, of u, c, a, z */
};

/* How much of a tensor there is: N, k, M, n. */
struct gtr_update_portion {
    double blocks, kept, elements, captured;
};

/* A tensor of which not all blocks were kept, with these sums over those that were. */
void gtr_update_spread_add(struct gtr_update_spread *spread,
                           const struct gtr_update_portion *portion,
                           const struct gtr_update_sums *sums, double z,
                           const struct gtr_update_moments *moments, double zz);

/* `squared`: what the totals were multiplied by. */
void gtr_update_spread_errors(const struct gtr_update_spread *spread, double squared,
                              const struct gtr_update_sums *totals, double plain,
                              struct gtr_update_errors *errors);

#endif
