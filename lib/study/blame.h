/* blame.h - who caused the attenuation of one step, and how much of it.
 *
 * Clipping to C takes A(x) = max(0, ln(x / C^2) / 2) nats from a gradient of energy x.  Had nobody
 * exceeded its own past, the energy were B; the players are the K groups above their baseline,
 * player j by a_j = e_j - b_j.  A coalition S has caused
 *
 *     v(S) = A(B + sum of a_j in S) - A(B)
 *
 * and blame shares v(all), the excess attenuation, among the players.  Groups at or below their
 * baseline are no players: their blame is exactly 0.
 */
#ifndef GTR_BLAME_H
#define GTR_BLAME_H

#include <stddef.h>

#include "public.h"

GTR_PUBLIC_BEGIN

enum gtr_blame_method {
    GTR_BLAME_SHAPLEY,      /* Shapley's value (1953): for K <= GTR_BLAME_EXACT exact, by
                               enumeration; above that over GTR_BLAME_ORDERS fixed orders of
                               arrival (Castro, Gomez and Tejada 2009), with its error */
    GTR_BLAME_AUMANN,       /* Aumann and Shapley (1974): v(all) a_j / sum a_i */
    GTR_BLAME_LEAVE_ONE_OUT /* v(all) - v(all but j): does not sum to v(all), and under-counts
                               joint culprits; for comparison */
};

enum { GTR_BLAME_EXACT = 20 }; /* 2^20 coalitions: some 10 ms */

/* Each of BASES shuffles is begun at TURNS places evenly apart, so that a player comes early, in
 * the middle and late, and each is walked both ways.  The spread between shuffles tells the error.
 */
enum {
    GTR_BLAME_BASES = 8,
    GTR_BLAME_TURNS = 32,
    GTR_BLAME_ORDERS = 2 * GTR_BLAME_BASES * GTR_BLAME_TURNS
};

GTR_PUBLIC_END

/* `above` [K]: a_j > 0.  Writes blame [K], and returns v(all).  `space` has room for
 * gtr_blame_space(K) doubles.  Zero players: 0.  *error: the largest standard error of any player's
 * blame, 0 where it was not sampled. */
double gtr_blame_step(enum gtr_blame_method method, double fair, double max_norm,
                      const double *above, size_t n_players, double *blame, double *error,
                      double *space);
size_t gtr_blame_space(size_t n_players);

#endif
