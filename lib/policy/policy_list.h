/* policy_list.h - every policy by its number, and the flags of a decision. */
#ifndef GTR_POLICY_LIST_H
#define GTR_POLICY_LIST_H

#include "public.h"

/* To add a policy: include its header in policy.h, give it a line X(ID, stem) here, and its rows in
 * catalogue.c.  The stem names its header, its structs and its functions; all switches and kernels
 * follow. */

GTR_PUBLIC_BEGIN

#define GTR_POLICIES(X)   \
    X(GTR_NONE, none)     \
    X(GTR_GLOBAL, global) \
    X(GTR_GROUP, group)   \
    X(GTR_AGGC, aggc)

enum gtr_policy_id {
#define X(ID, stem) ID,
    GTR_POLICIES(X)
#undef X
        GTR_POLICY_COUNT
};

enum {
    GTR_FLAG_CAPPED = 1, /* a cap chose the scale, not the interval */
    GTR_FLAG_EMPTY = 2   /* lower > upper: no norm could have been inside */
};

GTR_PUBLIC_END

#endif
