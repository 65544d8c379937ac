/* report_draw.c - the pictures of a page, drawn as SVG by the code of other commands.
 *
 * It is the same code, so that a picture of the page is the one that the command draws.
 */
#include <string.h>

#include "picture.h"
#include "report.h"

#define REPORT_INCHES 7.6 /* as wide as the page's text, at 96 pixels an inch */

static const struct figure *figure_called(const char *name)
{
    size_t i;

    for (i = 0; i < N_FIGURES; i++)
        if (strcmp(figures[i].name, name) == 0)
            return &figures[i];
    return NULL;
}

static bool lacks(const struct figure *figure, const struct figure_view *view, size_t policy)
{
    return figure->lacks != NULL && figure->lacks(view, policy) != NULL;
}

/* What has an interval for each group shows more than a limit for all. */
static bool fits(const struct figure *figure, const struct figure_view *view, size_t policy)
{
    return !lacks(figure, view, policy) && !figure_holds_whole(view, policy);
}

/* A figure of one policy is shown of the first that it fits, or else of the first that it can be
 * drawn of. */
static enum gtr_code list_one(struct picture_list *list, const struct figure_view *view,
                              const char *name, struct gtr_err *err)
{
    const struct figure *figure = figure_called(name);
    size_t p = 0;

    if (figure == NULL || (figure->replays && !figure_has_decisions(view)))
        return GTR_OK;
    while (figure->per_policy && p < view->n_policies && !fits(figure, view, p))
        p++;
    if (p == view->n_policies && figure->per_policy)
        for (p = 0; p < view->n_policies && lacks(figure, view, p); p++)
            ;
    if (p == view->n_policies || lacks(figure, view, p))
        return GTR_OK;
    return picture_list_add(list, figure, name, NULL, p, err);
}

/* All but `none`, which shows what was recorded once more; unless there is nothing else. */
static enum gtr_code pick_policies(const struct report_found *found, const char ***labels,
                                   struct gtr_decisions ***decisions, size_t *n,
                                   struct gtr_err *err)
{
    size_t n_settings = found->study.n_settings, p;
    enum gtr_code rc = gtr_alloc_for(labels, n_settings, sizeof **labels, "policies", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(decisions, n_settings, sizeof **decisions, "policies", err);
    *n = 0;
    for (p = 0; rc == GTR_OK && p < n_settings; p++) {
        if (found->decisions[p]->policy == GTR_NONE && (*n > 0 || p + 1 < n_settings))
            continue;
        (*labels)[*n] = found->study.labels[p];
        (*decisions)[(*n)++] = found->decisions[p];
    }
    return rc;
}

static enum gtr_code draw_plots(const struct report_found *found, const char *folder,
                                struct gtr_err *err)
{
    static const char *const names[] = { "norms", "scales", "panels", "interval" };
    const struct study *study = &found->study;
    const struct figure_look look = { .formats = "svg", .width = REPORT_INCHES };
    struct cli_common common = found->options->common;
    struct figure_view view = {
        .series = study->series,
        .steps = gtr_trace_steps(study->trace),
        .skip = gtr_replay_skip(study->replay),
        .trace = figure_trace_name(found->options->trace),
    };
    const struct picture_source source = plot_source(&view);
    struct picture_list list = { 0 };
    struct gtr_decisions **decisions = NULL;
    const char **labels = NULL;
    enum gtr_code rc = pick_policies(found, &labels, &decisions, &view.n_policies, err);
    size_t i;

    common.quiet = true;
    view.labels = view.titles = labels;
    view.decisions = decisions;
    if (rc == GTR_OK)
        rc = figure_view_fill(&view, NULL, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(names); i++)
        rc = list_one(&list, &view, names[i], err);
    if (rc == GTR_OK)
        rc = picture_make(&list, &source, &look, folder, &common, err);
    picture_list_free(&list);
    figure_view_free(&view);
    gtr_free(labels);
    gtr_free(decisions);
    return rc;
}

static enum gtr_code draw_spill(const struct report_found *found, const char *folder,
                                struct gtr_err *err)
{
    struct spill_options options = found->spill_options;
    struct spill_found spill = found->spill;

    if (!found->has_spill)
        return GTR_OK;
    options.common.quiet = true;
    options.figures.folder = folder;
    options.figures.look.width = REPORT_INCHES;
    strcpy(options.figures.formats, "svg");
    spill.options = &options;
    return spill_draw(&spill, err);
}

static enum gtr_code draw_update(const struct report_found *found, const char *folder,
                                 struct gtr_err *err)
{
    struct update_options options = found->update_options;
    struct update_found update = found->update;

    if (found->updates == NULL)
        return GTR_OK;
    options.figures.folder = folder;
    options.figures.look.width = REPORT_INCHES;
    strcpy(options.figures.formats, "svg");
    update.options = &options;
    return update_figures_draw(&update, found->updates, err);
}

enum gtr_code report_draw(const struct report_found *found, const char *folder, const char **why,
                          struct gtr_err *err)
{
    enum gtr_code (*const draw[])(const struct report_found *, const char *,
                                  struct gtr_err *) = { draw_plots, draw_spill, draw_update };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(draw); i++) {
        struct gtr_err drawing = { 0 };
        enum gtr_code rc = draw[i](found, folder, &drawing);

        if (rc == GTR_EIO)
            *why = strncmp(drawing.text, "gnuplot: not found", 18) == 0 ? "gnuplot was not found"
                                                                        : "gnuplot failed";
        else if (rc != GTR_OK)
            return gtr_fail(err, rc, "%s", drawing.text);
    }
    return GTR_OK;
}
