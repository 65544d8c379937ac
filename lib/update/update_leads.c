/* update_leads.c - policies part when their scales do. */
#include <stdbool.h>
#include <string.h>

#include "alloc.h"
#include "update_leads.h"

enum gtr_code gtr_update_leads_init(const struct gtr_update_pass *pass,
                                    struct gtr_update_leads *leads, struct gtr_err *err)
{
    size_t n = pass->n_groups * pass->n_policies;
    enum gtr_code rc;

    memset(leads, 0, sizeof *leads);
    leads->n_policies = pass->n_policies;
    leads->n_groups = pass->n_groups;
    rc = gtr_alloc_for(&leads->leads, n, sizeof *leads->leads, "leads", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&leads->n_leads, pass->n_groups, sizeof *leads->n_leads, "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&leads->place, n, sizeof *leads->place, "places", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&leads->lead, n, sizeof *leads->lead, "leads", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&leads->before, n, sizeof *leads->before, "leads", err);
    return rc;
}

void gtr_update_leads_free(struct gtr_update_leads *leads)
{
    gtr_free(leads->leads);
    gtr_free(leads->n_leads);
    gtr_free(leads->place);
    gtr_free(leads->lead);
    gtr_free(leads->before);
    memset(leads, 0, sizeof *leads);
}

void gtr_update_leads_begin(struct gtr_update_leads *leads)
{
    size_t i, n = leads->n_groups * leads->n_policies;

    for (i = 0; i < n; i++) {
        leads->lead[i] = (uint32_t)leads->n_policies;
        leads->place[i] = GTR_UPDATE_NO_PLACE;
    }
    memset(leads->n_leads, 0, leads->n_groups * sizeof *leads->n_leads);
    leads->most = 0;
}

/* What is compared is bits: 0 and -0 are different factors. */
static uint32_t scale_bits(const struct gtr_update_pass *pass, size_t row, size_t group, size_t p)
{
    const float one = 1.0f;
    uint32_t bits;

    memcpy(&bits,
           p == pass->n_policies
               ? &one
               : &pass->scale[(row * pass->n_groups + group) * pass->n_policies + p],
           sizeof bits);
    return bits;
}

/* The same scales in all rows that the optimizer sees; n_policies means u_none. */
static bool agree(const struct gtr_update_pass *pass, size_t first, size_t n_rows, size_t group,
                  size_t a, size_t b)
{
    size_t row;

    for (row = first; row < first + n_rows; row++)
        if (!pass->skip[row] && scale_bits(pass, row, group, a) != scale_bits(pass, row, group, b))
            return false;
    return true;
}

static bool part_group(const struct gtr_update_pass *pass, size_t first, size_t n_rows,
                       size_t group, struct gtr_update_leads *leads)
{
    size_t n_policies = pass->n_policies, at = group * n_policies, p, k;
    struct gtr_update_lead *list = leads->leads + at;
    const uint32_t *before = leads->before + at;
    uint32_t n = 0, n_before = leads->n_leads[group];
    bool other = false;

    for (p = 0; p < n_policies; p++) {
        uint32_t place = GTR_UPDATE_NO_PLACE;

        leads->lead[at + p] = (uint32_t)n_policies;
        if (before[p] != n_policies || !agree(pass, first, n_rows, group, p, n_policies)) {
            for (k = 0; k < n; k++)
                if (before[list[k].policy] == before[p] &&
                    agree(pass, first, n_rows, group, p, list[k].policy))
                    break;
            if (k == n) {
                struct gtr_update_lead lead = { (uint32_t)p, before[p] };

                other = other || k >= n_before || memcmp(&list[k], &lead, sizeof lead) != 0;
                list[n++] = lead;
            }
            leads->lead[at + p] = list[k].policy;
            place = (uint32_t)k;
        }
        other = other || leads->place[at + p] != place;
        leads->place[at + p] = place;
    }
    leads->n_leads[group] = n;
    if (n > leads->most)
        leads->most = n;
    return other || n != n_before;
}

int gtr_update_leads_part(const struct gtr_update_pass *pass, size_t first, size_t n_rows,
                          struct gtr_update_leads *leads)
{
    bool other = false;
    size_t group;
    uint32_t *now = leads->before;

    leads->before = leads->lead;
    leads->lead = now;
    for (group = 0; group < pass->n_groups; group++)
        other = part_group(pass, first, n_rows, group, leads) || other;
    return other;
}
