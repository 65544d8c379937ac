/* policy_list.h - every policy, once.
 *
 * To add one: include its header, give it a line X(ID, stem), and its rows in catalogue.c.  The
 * stem names its header, its structs and its functions; all switches and kernels follow.
 */
#ifndef GTR_POLICY_LIST_H
#define GTR_POLICY_LIST_H

#include "policy_aggc.h"
#include "policy_global.h"
#include "policy_group.h"
#include "policy_none.h"

#define GTR_POLICIES(X)   \
    X(GTR_NONE, none)     \
    X(GTR_GLOBAL, global) \
    X(GTR_GROUP, group)   \
    X(GTR_AGGC, aggc)

#endif
