/* replaying.h - one setting over one series, for tests. */
#ifndef REPLAYING_H
#define REPLAYING_H

#include "check.h"
#include "gradtrace_lab.h"

/* Runs the setting; with `report`, its statistics too.  The caller frees both. */
static inline struct gtr_decisions *run_text(const struct gtr_series *series, const char *text,
                                             const struct gtr_replay_options *options,
                                             struct gtr_scaling_report **report)
{
    struct gtr_decisions *decisions = NULL;
    struct gtr_setting *setting = NULL;
    struct gtr_replay *replay = NULL;
    struct gtr_norm_summary *norms = NULL;

    CHECK(gtr_setting_parse(text, &setting, NULL) == GTR_OK);
    CHECK(gtr_replay_new(series, options, &replay, NULL) == GTR_OK);
    CHECK(gtr_replay_run(replay, setting, &decisions, NULL) == GTR_OK);
    if (report != NULL) {
        CHECK(gtr_norm_summaries_new(replay, &norms, NULL) == GTR_OK);
        CHECK(gtr_scaling_new(replay, decisions, norms, report, NULL) == GTR_OK);
    }
    gtr_free(norms);
    gtr_replay_free(replay);
    gtr_setting_free(setting);
    return decisions;
}

#endif
