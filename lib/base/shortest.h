/* shortest.h - the shortest decimal of a double, fast.
 *
 * gtr_text_print's digits in a twentieth of the time: without printf and strtod, which are asked
 * only where 64 bits of fraction cannot decide.
 */
#ifndef GTR_SHORTEST_H
#define GTR_SHORTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* As printf would with %.15g, or where that does not read back as the same double %.16g, or %.17g.
 * Returns the length; 0 if it takes the slow way to know: value not finite, 0, a power of two,
 * below 1e-300 or above 1e300, or too near to a tie. */
size_t gtr_shortest_print(double value, char out[GTR_NUMBER_SIZE]);

#endif
