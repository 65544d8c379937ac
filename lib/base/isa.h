/* isa.h - which vector instructions kernels may use.
 *
 * Kernels that are compiled once per instruction set give the same bits; they differ in speed.
 */
#ifndef GTR_ISA_H
#define GTR_ISA_H

#include <stdbool.h>

enum gtr_isa { GTR_ISA_PORTABLE, GTR_ISA_AVX2, GTR_ISA_AVX512, GTR_ISA_COUNT };

bool gtr_isa_here(enum gtr_isa isa);

/* The fastest that this machine can run, or what was forced. */
enum gtr_isa gtr_isa_find(void);

/* Tests only: from now on use `isa`, which must be here; GTR_ISA_COUNT returns to the fastest. */
void gtr_isa_force(enum gtr_isa isa);

#endif
