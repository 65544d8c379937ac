/* blame.c - Shapley's value over all coalitions, in 2^K logarithms and some 4 x 2^K additions, and
 * over orders of arrival where K is too large for that.
 *
 * With w(s) = s! (K - 1 - s)! / K! the value of player j is
 *
 *     sum over S with j of w(|S| - 1) v(S)  -  sum over S without j of w(|S|) v(S)
 *   = sum over S with j of (w(|S| - 1) + w(|S|)) v(S)  -  sum over all S of w(|S|) v(S)
 *
 * (w(K) = 0), so that only sums over "all S with j" are needed.  Coalitions are bit sets; those
 * with the last player are the upper half of the array, and once that half is added to the lower
 * one, the player is out of the game and the next is last.
 */
#include "blame.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "exact.h"

/* v for coalitions whose energy is fair + above. */
struct game {
    double fair;
    double per_floor; /* 1 / the energy at which v starts: max(B, C^2) */
};

static double worth(const struct game *game, double above)
{
    double ratio = (game->fair + above) * game->per_floor;

    if (ratio > 1e300) /* a norm 1e150 times its limit: keep out infinity */
        ratio = 1e300;
    return ratio > 1.0 ? 0.5 * gtr_ln(ratio) : 0.0;
}

size_t gtr_blame_space(size_t n_players)
{
    return n_players <= GTR_BLAME_EXACT ? (size_t)1 << n_players : 3 * n_players;
}

/* w(s) for s = 0 .. K - 1, and w(K) = 0.  w(s) = 1 / (K binomial(K - 1, s)). */
static void shapley_weights(size_t n_players, double *weight)
{
    double choose = 1.0;
    size_t s;

    for (s = 0; s < n_players; s++) {
        weight[s] = 1.0 / ((double)n_players * choose);
        choose = choose * (double)(n_players - 1 - s) / (double)(s + 1);
    }
    weight[n_players] = 0.0;
}

static size_t size_of(size_t coalition)
{
    return (size_t)__builtin_popcountl(coalition);
}

/* value[S] = sum of a_j in S: each from the coalition without its last player. */
static void coalition_sums(const double *above, size_t n_players, double *value)
{
    size_t j, s;

    value[0] = 0.0;
    for (j = 0; j < n_players; j++)
        for (s = 0; s < (size_t)1 << j; s++)
            value[((size_t)1 << j) + s] = value[s] + above[j];
}

enum { IN_A_ROW = 128 };

/* Sum of n values, a power of two, in halves: a million of them in a row would cost four digits,
 * and blame is a difference of two such sums. */
static double sum_of(const double *value, size_t n)
{
    double sum = 0.0;
    size_t s;

    if (n > IN_A_ROW)
        return sum_of(value, n / 2) + sum_of(value + n / 2, n / 2);
    for (s = 0; s < n; s++)
        sum += value[s];
    return sum;
}

/* Turns the sums of coalitions first .. first + n - 1 into (w(|S| - 1) + w(|S|)) v(S), and returns
 * the sum of w(|S|) v(S). */
static double weigh(const struct game *game, const double *weight, size_t first, size_t n,
                    double *value)
{
    double sum = 0.0;
    size_t s;

    if (n > IN_A_ROW)
        return weigh(game, weight, first, n / 2, value) +
               weigh(game, weight, first + n / 2, n / 2, value);
    for (s = first; s < first + n; s++) {
        double v = worth(game, value[s]);
        size_t size = size_of(s);

        sum += weight[size] * v;
        value[s] = ((size > 0 ? weight[size - 1] : 0.0) + weight[size]) * v;
    }
    return sum;
}

static void share_by_shapley(const struct game *game, const double *above, size_t n_players,
                             double *blame, double *value)
{
    double weight[GTR_BLAME_EXACT + 1], without;
    size_t half = (size_t)1 << n_players, s, j;

    shapley_weights(n_players, weight);
    coalition_sums(above, n_players, value);
    without = weigh(game, weight, 0, half, value);
    for (j = n_players; j-- > 0;) {
        double with;

        half /= 2;
        with = sum_of(value + half, half);
        for (s = 0; s < half; s++)
            value[s] += value[half + s];
        blame[j] = with > without ? with - without : 0.0; /* no player helps: v grows */
    }
}

/* --- too many coalitions: orders of arrival --------------------------------------------------- */

/* Fisher and Yates's shuffle by Steele, Lea and Flood's splitmix64 (2014), from a fixed start:
 * `order` holds players' numbers, which doubles hold exactly. */
static void shuffle(double *order, size_t n, uint64_t *state)
{
    size_t i;

    for (i = 0; i < n; i++)
        order[i] = (double)i;
    for (i = n - 1; i > 0; i--) {
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
        double kept = order[i];
        size_t k;

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        k = (size_t)(((z ^ (z >> 31)) >> 32) * (i + 1) >> 32);
        order[i] = order[k];
        order[k] = kept;
    }
}

/* What each player adds as they arrive, beginning at `first`; backwards: the same from its end. */
static void arrive(const struct game *game, const double *above, const double *order, size_t n,
                   size_t first, bool backwards, double *added)
{
    double energy = 0.0, before = 0.0;
    size_t i;

    for (i = 0; i < n; i++) {
        size_t at = first + (backwards ? n - 1 - i : i);
        size_t player = (size_t)order[at < n ? at : at - n];
        double after;

        energy += above[player];
        after = worth(game, energy);
        added[player] += after - before;
        before = after;
    }
}

/* Returns the largest standard error. */
static double share_by_orders(const struct game *game, const double *above, size_t n, double *blame,
                              double *space)
{
    double *order = space, *added = space + n, *squares = space + 2 * n, worst = 0.0;
    size_t turns = n < GTR_BLAME_TURNS ? n : GTR_BLAME_TURNS, base, turn, j;
    uint64_t state = 1;

    for (j = 0; j < n; j++)
        blame[j] = squares[j] = 0.0;
    for (base = 0; base < GTR_BLAME_BASES; base++) {
        shuffle(order, n, &state);
        for (j = 0; j < n; j++)
            added[j] = 0.0;
        for (turn = 0; turn < turns; turn++) {
            arrive(game, above, order, n, turn * n / turns, false, added);
            arrive(game, above, order, n, turn * n / turns, true, added);
        }
        for (j = 0; j < n; j++) {
            double mean = added[j] / (2.0 * (double)turns);

            blame[j] += mean / GTR_BLAME_BASES;
            squares[j] += mean * mean / GTR_BLAME_BASES;
        }
    }
    for (j = 0; j < n; j++) {
        double variance = (squares[j] - blame[j] * blame[j]) / (GTR_BLAME_BASES - 1);

        worst = variance > worst ? variance : worst;
    }
    return sqrt(worst);
}

static void share_by_size(double all, const double *above, size_t n_players, double *blame)
{
    double sum = 0.0;
    size_t j;

    for (j = 0; j < n_players; j++)
        sum += above[j];
    for (j = 0; j < n_players; j++)
        blame[j] = all * (above[j] / sum);
}

static void share_by_absence(const struct game *game, double all, const double *above,
                             size_t n_players, double *blame)
{
    size_t i, j;

    for (j = 0; j < n_players; j++) {
        double others = 0.0;

        for (i = 0; i < n_players; i++)
            others += i != j ? above[i] : 0.0;
        others = worth(game, others);
        blame[j] = all > others ? all - others : 0.0;
    }
}

double gtr_blame_step(enum gtr_blame_method method, double fair, double max_norm,
                      const double *above, size_t n_players, double *blame, double *error,
                      double *space)
{
    double limit = max_norm * max_norm, sum = 0.0, all;
    struct game game = { .fair = fair, .per_floor = 1.0 / (fair > limit ? fair : limit) };
    size_t j;

    *error = 0.0;
    if (n_players == 0)
        return 0.0;
    for (j = 0; j < n_players; j++)
        sum += above[j];
    all = worth(&game, sum);
    if (all == 0.0 || n_players == 1)
        for (j = 0; j < n_players; j++)
            blame[j] = all;
    else if (method == GTR_BLAME_LEAVE_ONE_OUT)
        share_by_absence(&game, all, above, n_players, blame);
    else if (method == GTR_BLAME_AUMANN)
        share_by_size(all, above, n_players, blame);
    else if (n_players > GTR_BLAME_EXACT)
        *error = share_by_orders(&game, above, n_players, blame, space);
    else
        share_by_shapley(&game, above, n_players, blame, space);
    return all;
}
