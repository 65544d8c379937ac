/* test_update_leads.c - which policies are simulated for others, by hand. */
#include <stdint.h>

#include "check.h"
#include "update_leads.h"

enum { ROWS = 7, NONE = 2 };

/* The rows of update_leads.h, and one that the optimizer does not see: A, B. */
static const float scales[ROWS][2] = { { 1, 1 },       { 1, 1 }, { 0.25f, 2 },   { 0.5f, 0.5f },
                                       { 0.5f, 0.5f }, { 1, 1 }, { 0.75f, 0.5f } };
static const uint8_t skip[ROWS] = { 0, 0, 1, 0, 0, 0, 0 };
static const struct gtr_update_pass pass = {
    .n_policies = 2, .n_groups = 1, .n_rows = ROWS, .scale = scales[0], .skip = skip
};

static void policies_part_at_the_first_row_that_tells_them_apart(void)
{
    struct gtr_update_leads leads;

    CHECK(gtr_update_leads_init(&pass, &leads, NULL) == GTR_OK);
    gtr_update_leads_begin(&leads);
    CHECK(!gtr_update_leads_part(&pass, 0, 2, &leads));
    CHECK(leads.n_leads[0] == 0);
    CHECK(leads.place[0] == GTR_UPDATE_NO_PLACE && leads.place[1] == GTR_UPDATE_NO_PLACE);

    CHECK(gtr_update_leads_part(&pass, 2, 2, &leads)); /* the skipped row parts nobody */
    CHECK(leads.n_leads[0] == 1 && leads.most == 1);
    CHECK(leads.leads[0].policy == 0 && leads.leads[0].source == NONE);
    CHECK(leads.place[0] == 0 && leads.place[1] == 0);

    CHECK(gtr_update_leads_part(&pass, 4, 1, &leads)); /* A's state is its own now */
    CHECK(leads.leads[0].policy == 0 && leads.leads[0].source == 0);
    CHECK(!gtr_update_leads_part(&pass, 5, 1, &leads)); /* scale 1 makes nobody u_none again */

    CHECK(gtr_update_leads_part(&pass, 6, 1, &leads));
    CHECK(leads.n_leads[0] == 2 && leads.most == 2);
    CHECK(leads.leads[0].policy == 0 && leads.leads[0].source == 0);
    CHECK(leads.leads[1].policy == 1 && leads.leads[1].source == 0);
    CHECK(leads.place[0] == 0 && leads.place[1] == 1);

    gtr_update_leads_begin(&leads);
    CHECK(!gtr_update_leads_part(&pass, 0, 1, &leads));
    CHECK(leads.n_leads[0] == 0 && leads.most == 0);
    gtr_update_leads_free(&leads);
}

static void two_that_leave_together_from_different_classes_stay_apart(void)
{
    static const float apart[3][2] = { { 1, 1 }, { 0.5f, 1 }, { 0.25f, 0.25f } };
    static const uint8_t seen[3] = { 0, 0, 0 };
    const struct gtr_update_pass other = {
        .n_policies = 2, .n_groups = 1, .n_rows = 3, .scale = apart[0], .skip = seen
    };
    struct gtr_update_leads leads;

    CHECK(gtr_update_leads_init(&other, &leads, NULL) == GTR_OK);
    gtr_update_leads_begin(&leads);
    gtr_update_leads_part(&other, 0, 2, &leads);
    gtr_update_leads_part(&other, 2, 1, &leads);
    CHECK(leads.n_leads[0] == 2);
    CHECK(leads.leads[1].policy == 1 && leads.leads[1].source == NONE);
    gtr_update_leads_free(&leads);
}

int main(void)
{
    RUN(policies_part_at_the_first_row_that_tells_them_apart);
    RUN(two_that_leave_together_from_different_classes_stay_apart);
    return check_report();
}
