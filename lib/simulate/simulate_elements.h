/* simulate_elements.h - made-up elements whose norms are those of the simulated run.
 *
 * Element e of a tensor at step t is norm(t) * d_e(t), where d(t) has norm 1 and turns slowly:
 *
 *     x_e(t) = 0.3 x_e(t-1) + sqrt(1 - 0.3^2) z_e(t)        z: mean 0, variance 1
 *     d_e(t) = s_e x_e(t) / |s x(t)|                         s_e: log-normal, the same at all steps
 *
 * so that elements are large and small for good, as Adam's second moment needs it, and consecutive
 * gradients of a tensor have a cosine near 0.3.  z is the sum of four 16-bit numbers of one draw,
 * shifted and scaled: close to a normal deviate, within 3.5 deviations, and exact.  Each tensor
 * draws from a stream of its own.  What is written is rounded to f32, and the recorded norms are
 * then reduced from that (sumsq.h): a trace agrees with its own elements to the bit.
 */
#ifndef GTR_SIMULATE_ELEMENTS_H
#define GTR_SIMULATE_ELEMENTS_H

#include "simulate.h"
#include "sumsq.h"
#include "trace.h"

/* What a tensor's elements are made from; see above. */
#define GTR_ELEMENTS_MEMORY 0.3
#define GTR_ELEMENTS_UNEVEN 1.0 /* deviation of ln s_e */

struct gtr_made_elements;

/* The sampling that the simulation asks for; fraction 0: all elements. */
struct gtr_sample gtr_simulation_sample(const struct gtr_simulation *simulation);

/* Makes the tensors f32, and refuses what would be too large.  *made is NULL if the simulation
 * keeps no elements. */
enum gtr_code gtr_made_elements_new(const struct gtr_simulation *simulation, struct gtr_head *head,
                                    struct gtr_made_elements **made, struct gtr_err *err);
void gtr_made_elements_free(struct gtr_made_elements *made);

/* The next step of one tensor: its elements have this sum of squares, but for rounding, which
 * *reduced tells.  The writer gets what is kept of them. */
enum gtr_code gtr_made_elements_next(struct gtr_made_elements *made, size_t tensor, double sumsq,
                                     struct gtr_writer *writer, struct gtr_reduction *reduced,
                                     struct gtr_err *err);

#endif
