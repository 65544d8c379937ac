/* device.h - which processor does the heavy work: this one's cores, or GPUs.
 *
 * A result never depends on the device; only the time does.
 */
#ifndef GTR_DEVICE_H
#define GTR_DEVICE_H

#include <stddef.h>

#include "err.h"

GTR_PUBLIC_BEGIN

enum gtr_device_kind {
    GTR_DEVICE_AUTO, /* a GPU if one answers and the work is worth it */
    GTR_DEVICE_CPU,
    GTR_DEVICE_CUDA
};

/* All zeros: auto. */
struct gtr_device {
    enum gtr_device_kind kind;
    int number; /* of GTR_DEVICE_CUDA: 0, 1, ...; -1: all that answer */
};

/* "auto", "cpu", "cuda" (all GPUs) or "cuda:N". */
enum gtr_code gtr_device_parse(const char *text, struct gtr_device *device, struct gtr_err *err);

/* GPUs that answer; 0 if there is none, no driver, or the library was built without CUDA.  The
 * first call may take a second. */
size_t gtr_device_count(void);

/* Its name as the driver tells it: "NVIDIA H100 80GB HBM3"; "" if it does not answer. */
void gtr_device_name(size_t number, char *name, size_t size);

/* Turns what was asked for into cpu or cuda.  `steps` is the size of the work in lane steps
 * (settings x groups x steps): auto leaves small work to the CPU, which is done with it before a
 * GPU has started.  Asking for a GPU that does not answer is an error that says why. */
enum gtr_code gtr_device_choose(const struct gtr_device *asked, double steps,
                                struct gtr_device *chosen, struct gtr_err *err);

GTR_PUBLIC_END

#endif
