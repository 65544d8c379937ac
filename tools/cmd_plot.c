/* cmd_plot.c - `gradtrace plot`: study, replays, pictures. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "plot_options.h"
#include "plot_pictures.h"
#include "study.h"

static bool compares(const struct plot_options *o)
{
    size_t i;

    for (i = 0; i < N_FIGURES; i++)
        if (o->wanted[i] && figures[i].replays)
            return true;
    return false;
}

static enum gtr_code default_policies(struct plot_options *o, struct gtr_err *err)
{
    static const char *const defaults[] = { "global:max_norm=1", "aggc" };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (o->replay.n_policies > 0)
        return GTR_OK;
    rc = gtr_grow(&o->replay.policies, &o->replay.capacity, GTR_ARRAY_LEN(defaults),
                  sizeof *o->replay.policies, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(defaults); i++)
        o->replay.policies[o->replay.n_policies++] = defaults[i];
    if (rc == GTR_OK && compares(o))
        cli_note(&o->common, "no -p was given: showing -p %s -p %s", defaults[0], defaults[1]);
    return rc;
}

static enum gtr_code list_pictures(const struct plot_options *o, const struct figure_view *view,
                                   struct picture_list *list, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i, before;

    for (i = 0; rc == GTR_OK && i < N_FIGURES; i++) {
        if (!o->wanted[i])
            continue;
        before = list->n;
        rc = plot_pictures_add(list, &figures[i], view, err);
        if (rc == GTR_OK && list->n == before)
            cli_note(&o->common, "%s: nothing to show: %s", figures[i].name,
                     figure_has_decisions(view)
                         ? "these policies have no interval"
                         : "every step is skipped, its gradient is not finite");
    }
    return rc;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* What the user typed, if there is room for it over a panel. */
static const char *title_of(const struct study *study, size_t policy)
{
    enum { TITLE_MAX = 27 };
    const char *text = gtr_setting_text(study->settings[policy]);

    return strlen(text) <= TITLE_MAX ? text : study->labels[policy];
}

/* Runs every policy and draws. */
static enum gtr_code plot(struct plot_options *o, const struct study *study,
                          struct gtr_decisions **decisions, const char **titles,
                          struct gtr_err *err)
{
    struct figure_view view = {
        .series = study->series,
        .steps = gtr_trace_steps(study->trace),
        .skip = gtr_replay_skip(study->replay),
        .trace = base_name(o->trace),
        .n_policies = study->n_settings,
        .labels = (const char *const *)study->labels,
        .titles = titles,
        .decisions = decisions,
    };
    const struct picture_source source = plot_source(&view);
    struct picture_list list = { 0 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (view.series->n_steps == 0)
        return gtr_fail(err, GTR_EFORMAT, "%s: has no steps; there is nothing to draw", o->trace);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++) {
        titles[i] = title_of(study, i);
        rc = gtr_replay_run(study->replay, study->settings[i], &decisions[i], err);
    }
    if (rc == GTR_OK)
        rc = figure_view_fill(&view, o->group, err);
    if (rc == GTR_OK)
        rc = list_pictures(o, &view, &list, err);
    if (rc == GTR_OK && o->term)
        rc = picture_show(&list, &source, &o->look, err);
    else if (rc == GTR_OK)
        rc = picture_make(&list, &source, &o->look, o->folder, &o->common, err);
    if (rc == GTR_OK && compares(o) && figure_has_decisions(&view))
        cli_note(&o->common, "%s", study_open_loop);
    picture_list_free(&list);
    figure_view_free(&view);
    return rc;
}

int cmd_plot(int argc, char **argv)
{
    struct plot_options o = { .replay = { .options = { .keep_interval = 1 } } };
    struct gtr_decisions **decisions = NULL;
    const char **titles = NULL;
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    int status = EXIT_DONE;
    size_t i;

    plot_options_parse(&o, argc, argv);
    if (o.term)
        figure_look_terminal(&o.look);
    rc = default_policies(&o, &err);
    if (rc == GTR_OK)
        rc = study_open(&study, o.trace, &o.common, &o.replay, &err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&decisions, study.n_settings, sizeof *decisions, "policies", &err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&titles, study.n_settings, sizeof *titles, "policies", &err);
    if (rc == GTR_OK)
        rc = plot(&o, &study, decisions, titles, &err);
    if (rc != GTR_OK)
        status = cli_fail(&o.common, &err);
    for (i = 0; decisions != NULL && i < study.n_settings; i++)
        gtr_decisions_free(decisions[i]);
    gtr_free(decisions);
    gtr_free(titles);
    study_close(&study);
    cli_replay_free(&o.replay);
    return status;
}
