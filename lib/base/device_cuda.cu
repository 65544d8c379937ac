/* device_cuda.cu - which GPUs answer, and the little that C files ask of one. */
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

enum gtr_code gtr_cuda_put(const void *bytes, size_t size, void **copy, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    *copy = NULL;
    CUDA_TRY(cudaMalloc(copy, size));
    CUDA_TRY(cudaMemcpy(*copy, bytes, size, cudaMemcpyHostToDevice));
out:
    if (rc != GTR_OK) {
        gtr_cuda_drop(*copy);
        *copy = NULL;
    }
    return rc;
}

void gtr_cuda_drop(void *copy)
{
    cudaFree(copy);
}
