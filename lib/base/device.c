/* device.c - names of devices, and what `auto` means. */
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "cuda.h"

/* What a CPU core does in about a second; starting a GPU takes a good part of one. */
static const double WORTH_A_GPU = 1e9;

enum gtr_code gtr_device_parse(const char *text, struct gtr_device *device, struct gtr_err *err)
{
    char *end;
    long number;

    *device = (struct gtr_device){ GTR_DEVICE_AUTO, -1 };
    if (strcmp(text, "auto") == 0)
        return GTR_OK;
    device->kind = strcmp(text, "cpu") == 0 ? GTR_DEVICE_CPU : GTR_DEVICE_CUDA;
    if (strcmp(text, "cpu") == 0 || strcmp(text, "cuda") == 0)
        return GTR_OK;
    if (strncmp(text, "cuda:", 5) == 0 && text[5] >= '0' && text[5] <= '9') {
        number = strtol(text + 5, &end, 10);
        device->number = (int)number;
        if (*end == '\0' && number < 1024)
            return GTR_OK;
    }
    return gtr_fail(err, GTR_EUSAGE, "%.40s is no device: auto, cpu, cuda or cuda:N", text);
}

size_t gtr_device_count(void)
{
    return gtr_cuda_count(NULL);
}

void gtr_device_name(size_t number, char *name, size_t size)
{
    gtr_cuda_name(number, name, size);
}

enum gtr_code gtr_device_choose(const struct gtr_device *asked, double steps,
                                struct gtr_device *chosen, struct gtr_err *err)
{
    size_t n;

    *chosen = (struct gtr_device){ GTR_DEVICE_CPU, -1 };
    if (asked->kind == GTR_DEVICE_CPU || (asked->kind == GTR_DEVICE_AUTO && steps < WORTH_A_GPU))
        return GTR_OK;
    if (asked->kind == GTR_DEVICE_AUTO) {
        chosen->kind = gtr_cuda_count(NULL) > 0 ? GTR_DEVICE_CUDA : GTR_DEVICE_CPU;
        return GTR_OK;
    }
    n = gtr_cuda_count(err);
    if (n == 0)
        return GTR_EDEVICE;
    if (asked->number >= 0 && (size_t)asked->number >= n)
        return gtr_fail(err, GTR_EDEVICE, "cuda:%d: no such GPU; %zu answer, from cuda:0 on",
                        asked->number, n);
    *chosen = *asked;
    return GTR_OK;
}
