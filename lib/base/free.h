/* free.h - how memory that the library hands over is given back. */
#ifndef GTR_FREE_H
#define GTR_FREE_H

#include "public.h"

GTR_PUBLIC_BEGIN

/* What a call says to free with it.  Takes NULL. */
void gtr_free(void *pointer);

GTR_PUBLIC_END

#endif
