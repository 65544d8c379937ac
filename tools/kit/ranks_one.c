/* ranks_one.c - a program that is alone: see ranks.h. */
#include "ranks.h"

void ranks_start(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

void ranks_end(int status)
{
    (void)status;
}

void ranks_describe(size_t n_threads, char *text, size_t size)
{
    (void)n_threads;
    if (size > 0)
        text[0] = '\0';
}

int ranks_rank(void)
{
    return 0;
}

int ranks_size(void)
{
    return 1;
}

size_t ranks_threads(void)
{
    return 0;
}

void ranks_device(struct gtr_device *device)
{
    (void)device;
}

void ranks_part(size_t n, size_t *first, size_t *count)
{
    *first = 0;
    *count = n;
}

enum gtr_code ranks_agree(enum gtr_code rc, struct gtr_err *err)
{
    (void)err;
    return rc;
}

bool ranks_any(bool flag)
{
    return flag;
}

void ranks_tell(void *from, size_t size)
{
    (void)from;
    (void)size;
}

bool ranks_same(const char *text)
{
    (void)text;
    return true;
}

void ranks_gather(double *rows, size_t width, size_t n, size_t *done)
{
    (void)rows;
    (void)width;
    (void)n;
    (void)done;
}

enum gtr_code ranks_exchange(void *context, size_t part, void *bytes, size_t size,
                             struct gtr_err *err)
{
    (void)context;
    (void)part;
    (void)bytes;
    (void)size;
    return gtr_fail(err, GTR_EUSAGE, "there are no other ranks");
}

void ranks_give_up(enum gtr_code rc, const struct gtr_err *err)
{
    (void)rc;
    (void)err;
}
