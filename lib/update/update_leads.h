/* update_leads.h - which policies are simulated, and for whom.
 *
 * A policy whose scales were equal to another's at all steps so far, within a group, has the same
 * states and updates, bit for bit.  The first of such a class, in policy order, is its lead: it
 * alone is simulated.  Most often nobody is: a policy that has not touched the group yet is u_none
 * itself.  Classes only ever part.
 *
 *     rows      1 1 1 .5 .5 1 .8      A and B are u_none until row 3; then A leads B, until B
 *     A         = = =  A  A A  A      parts in the last row and takes A's state along
 *     B         = = =  A  A A  B
 */
#ifndef GTR_UPDATE_LEADS_H
#define GTR_UPDATE_LEADS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "update_engine.h"

#define GTR_UPDATE_NO_PLACE UINT32_MAX

/* A policy that leads from now on, and the slot that its state is in: its own, or that of the lead
 * from which it has parted, or n_policies, u_none's.  A source that is another lead comes before
 * it. */
struct gtr_update_lead {
    uint32_t policy, source;
};

struct gtr_update_leads {
    size_t n_policies, n_groups;
    struct gtr_update_lead *leads; /* [G][policy]; n_leads of each group count */
    uint32_t *n_leads;             /* [G] */
    uint32_t *place; /* [G][policy] the lead's, among the group's; GTR_UPDATE_NO_PLACE: u_none */
    size_t most;     /* leads of a group */
    uint32_t *lead, *before; /* [G][policy] a policy's lead, n_policies: u_none */
};

#ifdef __cplusplus
extern "C" {
#endif

/* Room for a pass; free with gtr_update_leads_free, also after a failure. */
enum gtr_code gtr_update_leads_init(const struct gtr_update_pass *pass,
                                    struct gtr_update_leads *leads, struct gtr_err *err);
void gtr_update_leads_free(struct gtr_update_leads *leads);

/* A batch begins: all policies are u_none. */
void gtr_update_leads_begin(struct gtr_update_leads *leads);

/* These rows come next: policies part whose scales differ in one that is not skipped.  Returns
 * whether leads, their sources or places are others than for the rows before. */
int gtr_update_leads_part(const struct gtr_update_pass *pass, size_t first, size_t n_rows,
                          struct gtr_update_leads *leads);

#ifdef __cplusplus
}
#endif

#endif
