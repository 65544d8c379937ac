/* picture_list.c - which pictures there are, and what their files are called. */
#include "picture.h"

#include <string.h>

static bool plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static bool taken(const struct picture_list *list, const char *stem)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        if (strcmp(list->pictures[i].stem, stem) == 0)
            return true;
    return false;
}

/* SCRIPT or SCRIPT-LABEL; -2, -3 ... after it where two would get the same name. */
static void choose_stem(struct picture *picture, const struct picture_list *list, const char *label)
{
    char base[100];
    size_t i, n;

    snprintf(base, sizeof base, "%s%s%s", picture->script, label != NULL ? "-" : "",
             label != NULL ? label : "");
    n = strlen(base);
    for (i = 0; i < n; i++)
        if (!plain(base[i]))
            base[i] = '-';
    snprintf(picture->stem, sizeof picture->stem, "%s", base);
    for (i = 2; taken(list, picture->stem); i++)
        snprintf(picture->stem, sizeof picture->stem, "%s-%zu", base, i);
}

enum gtr_code picture_list_add(struct picture_list *list, const void *figure, const char *script,
                               const char *label, size_t policy, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_grow(&list->pictures, &list->capacity, list->n + 1, sizeof *list->pictures, err);
    struct picture *picture;

    if (rc != GTR_OK)
        return rc;
    picture = &list->pictures[list->n];
    *picture = (struct picture){ .figure = figure, .script = script, .policy = policy };
    choose_stem(picture, list, label);
    list->n++;
    return GTR_OK;
}

void picture_list_free(struct picture_list *list)
{
    gtr_free(list->pictures);
    *list = (struct picture_list){ 0 };
}
