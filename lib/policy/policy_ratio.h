/* policy_ratio.h - the ways in which a limit and a norm become a factor; included before the steps.
 *
 * torch divides a number by a tensor as reciprocal(tensor) * number, two roundings, and so do
 * optax, which divides the gradient by its norm and then multiplies, and Keras under XLA.  Python
 * floats and tensor / tensor are divided once.  They differ by one unit of the last place in about
 * a fifth of all cases, so each policy says which is its own.
 */

/* limit / norm of number / tensor. */
HELPER REAL TEXT(rcp)(REAL limit, REAL norm)
{
    return limit * (NUM(1.0) / norm);
}

/* min(1, ratio), as a clamp: NaN stays NaN. */
HELPER REAL TEXT(at_most_1)(REAL ratio)
{
    return PICK(ABOVE(ratio, NUM(1.0)), NUM(1.0), ratio);
}

/* The same as a test for being below 1: NaN leaves the gradient alone. */
HELPER REAL TEXT(if_below_1)(REAL ratio)
{
    return PICK(ABOVE(NUM(1.0), ratio), ratio, NUM(1.0));
}

/* The factor of torch.nn.utils.clip_grad_norm_.  The test is on the ratio, so that norm == limit
 * gives limit / (limit + eps), as there. */
HELPER REAL TEXT(clip_ratio)(REAL limit, REAL norm, REAL eps)
{
    return TEXT(at_most_1)(TEXT(rcp)(limit, norm + eps));
}

/* x in the precision of an original that computes in fp32: a double operation on fp32 values that
 * is then rounded to fp32 is the fp32 operation. */
HELPER REAL TEXT(round_if)(MASK single, REAL x)
{
    return PICK(single, F32(x), x);
}
