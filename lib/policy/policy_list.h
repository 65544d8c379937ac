/* policy_list.h - every policy by its number, and the flags of a decision. */
#ifndef GTR_POLICY_LIST_H
#define GTR_POLICY_LIST_H

#include "public.h"

/* To add a policy: include its header in policy_headers.h, give it a line X(ID, stem, unit) here,
 * and its rows in a catalogue_*.c.  The stem names its header, its structs and its functions; all
 * switches and kernels follow. */

GTR_PUBLIC_BEGIN

/* What one decision is about: the whole gradient, of which all groups and also tensors that a rule
 * left out get the same; a group of any kind; or a tensor, where the original clips each by itself
 * (`--group-by tensor` is then the original, and other groups what it would be with those). */
enum gtr_unit { GTR_WHOLE, GTR_GROUPED, GTR_TENSORS };

#define GTR_POLICIES(X)                          \
    X(GTR_NONE, none, GTR_GROUPED)               \
    X(GTR_GLOBAL, global, GTR_WHOLE)             \
    X(GTR_GROUP, group, GTR_GROUPED)             \
    X(GTR_AGGC, aggc, GTR_GROUPED)               \
    X(GTR_ZCLIP, zclip, GTR_WHOLE)               \
    X(GTR_AUTOCLIP, autoclip, GTR_WHOLE)         \
    X(GTR_ADAGC, adagc, GTR_TENSORS)             \
    X(GTR_ADAGC_GLOBAL, adagc_global, GTR_WHOLE) \
    X(GTR_OLMO, olmo, GTR_TENSORS)               \
    X(GTR_SKIPSTEP, skipstep, GTR_WHOLE)         \
    X(GTR_LLMC, llmc, GTR_WHOLE)                 \
    X(GTR_AGC, agc, GTR_TENSORS)                 \
    X(GTR_RMS, rms, GTR_TENSORS)                 \
    X(GTR_TRELLIS, trellis, GTR_WHOLE)           \
    X(GTR_EMACLIP, emaclip, GTR_WHOLE)           \
    X(GTR_SIGMA, sigma, GTR_WHOLE)               \
    X(GTR_ROLLING, rolling, GTR_WHOLE)           \
    X(GTR_STABLESPAM, stablespam, GTR_TENSORS)

enum gtr_policy_id {
#define X(ID, stem, unit) ID,
    GTR_POLICIES(X)
#undef X
        GTR_POLICY_COUNT
};

/* GTR_ZCLIP_UNIT and so on. */
enum {
#define X(ID, stem, unit) ID##_UNIT = unit,
    GTR_POLICIES(X)
#undef X
};

enum {
    GTR_FLAG_CAPPED = 1, /* a cap chose the scale, not the interval */
    GTR_FLAG_EMPTY = 2,  /* lower > upper: no norm could have been inside */
    GTR_FLAG_SKIPPED = 4 /* the policy left the whole step out; its scale is then NaN */
};

GTR_PUBLIC_END

/* Policies with something to say of all groups at once, before each decides (gtr_STEM_ahead); and
 * those with settings so usual that sweeps have kernels for them (gtr_STEM_is_usual). */
#define GTR_POLICIES_AHEAD(X) X(GTR_AGGC, aggc)
#define GTR_POLICIES_USUAL(X) X(GTR_AGGC, aggc)

#endif
