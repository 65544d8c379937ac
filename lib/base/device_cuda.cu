/* device_cuda.cu - which GPUs answer. */
#include <cuda_runtime.h>
#include <stdio.h>

#include "cuda.h"

size_t gtr_cuda_count(struct gtr_err *err)
{
    int n = 0;
    cudaError_t error = cudaGetDeviceCount(&n);

    if (error == cudaSuccess && n > 0)
        return (size_t)n;
    cudaGetLastError();
    gtr_fail(err, GTR_EDEVICE, "no GPU answers: %s; say --device cpu, or auto",
             error == cudaSuccess ? "the driver knows of none" : cudaGetErrorString(error));
    return 0;
}

void gtr_cuda_name(size_t number, char *name, size_t size)
{
    struct cudaDeviceProp properties;

    if (size == 0)
        return;
    name[0] = '\0';
    if (cudaGetDeviceProperties(&properties, (int)number) == cudaSuccess)
        snprintf(name, size, "%s", properties.name);
    else
        cudaGetLastError();
}
