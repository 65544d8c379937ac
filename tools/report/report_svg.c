/* report_svg.c - a picture as a part of the page.
 *
 * What gnuplot wrote is taken apart and only what a picture needs goes into the page: elements from
 * a list, names (id) made unique by a prefix, links only to those.  So whatever names a trace has,
 * a picture cannot bring scripts into the page or fetch anything.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_write.h"
#include "stage.h"

/* What gnuplot's SVG is made of. */
static bool is_allowed(const char *name, size_t length)
{
    static const char *const allowed[] = { "svg",     "g",       "defs",     "path",
                                           "text",    "tspan",   "use",      "circle",
                                           "rect",    "polygon", "line",     "polyline",
                                           "pattern", "symbol",  "clipPath", "image" };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(allowed); i++)
        if (strlen(allowed[i]) == length && strncmp(allowed[i], name, length) == 0)
            return true;
    return false;
}

/* The next number of path data, in tenths of a pixel; false if there is none. */
static bool take_tenths(const char **at, const char *end, long *tenths)
{
    char *after;
    double value = strtod(*at, &after);

    if (after == *at || after > end || !(fabs(value) < 1e6))
        return false;
    *tenths = lround(10.0 * value);
    *at = after;
    return true;
}

static void put_tenths(FILE *f, long tenths)
{
    long size = labs(tenths);

    fprintf(f, "%s%ld", tenths < 0 ? "-" : "", size / 10);
    if (size % 10 != 0)
        fprintf(f, ".%ld", size % 10);
}

/* Path data in a third of its length: tenths of a pixel, as steps from point to point.  Nothing is
 * written, and false returned, if it holds more than absolute M and L with points. */
static bool put_path(FILE *f, const char *at, const char *end)
{
    char *text = NULL, command = 'M';
    long x = 0, y = 0, nx, ny;
    size_t size = 0;
    bool understood = true;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return false;
    while (understood) {
        at += strspn(at, " \t\r\n,");
        if (at >= end)
            break;
        if (*at == 'M' || *at == 'L')
            command = *at++;
        understood = take_tenths(&at, end, &nx);
        at += *at == ',' ? 1 : 0;
        understood = understood && take_tenths(&at, end, &ny);
        if (!understood || (command == 'L' && nx == x && ny == y))
            continue;
        fputc(command == 'M' ? 'M' : 'l', out);
        put_tenths(out, command == 'M' ? nx : nx - x);
        fputs((command == 'M' ? ny : ny - y) < 0 ? "" : " ", out);
        put_tenths(out, command == 'M' ? ny : ny - y);
        x = nx;
        y = ny;
        command = 'L';
    }
    fclose(out);
    if (understood && text != NULL)
        fputs(text, f);
    free(text);
    return understood;
}

static void put_value(FILE *f, const char *name, int length, const char *value, const char *stop)
{
    char quote = memchr(value, '"', (size_t)(stop - value)) != NULL ? '\'' : '"';

    fprintf(f, " %.*s=%c", length, name, quote);
    if (length != 1 || *name != 'd' || !put_path(f, value, stop))
        fprintf(f, "%.*s", (int)(stop - value), value);
    fputc(quote, f);
}

/* One attribute, NAME=QUOTE VALUE QUOTE, as it may stand in the page.  Returns what follows it. */
static const char *put_attribute(FILE *f, const char *at, const char *end, size_t number)
{
    const char *name = at, *value, *stop;
    char quote;
    int length;

    while (at < end && *at != '=' && !isspace((unsigned char)*at))
        at++;
    length = (int)(at - name);
    while (at < end && (*at == '=' || isspace((unsigned char)*at)))
        at++;
    quote = *at;
    value = at + 1;
    stop = at < end && (quote == '"' || quote == '\'') ? memchr(value, quote, (size_t)(end - value))
                                                       : NULL;
    if (stop == NULL)
        return end;
    if (strncmp(name, "xmlns", 5) == 0 || strncmp(name, "on", 2) == 0) {
        /* In a page the first says nothing new; gnuplot writes none of the second. */
    } else if (length == 2 && strncmp(name, "id", 2) == 0) {
        fprintf(f, " id=\"f%zu-%.*s\"", number, (int)(stop - value), value);
    } else if (length >= 4 && strncmp(name + length - 4, "href", 4) == 0) {
        if (*value == '#')
            fprintf(f, " href=\"#f%zu-%.*s\"", number, (int)(stop - value - 1), value + 1);
        else if (strncmp(value, "data:image/png;base64,", 22) == 0)
            fprintf(f, " href=\"%.*s\"", (int)(stop - value), value);
    } else if (strncmp(value, "url(#", 5) == 0) {
        fprintf(f, " %.*s=\"url(#f%zu-%.*s\"", length, name, number, (int)(stop - value - 5),
                value + 5);
    } else {
        put_value(f, name, length, value, stop);
    }
    return stop + 1;
}

/* The tag at <, if it is allowed.  Returns what follows it. */
static const char *put_tag(FILE *f, const char *at, size_t number)
{
    const char *name = at + (at[1] == '/' ? 2 : 1), *end = strchr(at, '>');
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const char *slash;

    if (end == NULL)
        return at + strlen(at);
    slash = end[-1] == '/' ? "/" : "";
    if (!is_allowed(name, length))
        return end + 1;
    fprintf(f, "%.*s", (int)(name + length - at), at);
    at = name + length;
    while (at < end) {
        if (isspace((unsigned char)*at) || *at == '/')
            at++;
        else
            at = put_attribute(f, at, end, number);
    }
    fprintf(f, "%s>", slash);
    return end + 1;
}

/* Without what stands before <svg>, and without <title> and <desc>, which say "Gnuplot". */
static void put_picture(FILE *f, const char *svg, size_t number)
{
    static const char *const left_out[] = { "title", "desc", "script", "style", "foreignObject" };
    const char *at = strstr(svg, "<svg");
    size_t i;

    while (at != NULL && *at != '\0') {
        bool skipped = false;

        for (i = 0; *at == '<' && i < GTR_ARRAY_LEN(left_out); i++) {
            char close[32];
            size_t length = strlen(left_out[i]);

            snprintf(close, sizeof close, "</%s>", left_out[i]);
            if (strncmp(at + 1, left_out[i], length) == 0 && strstr(at, close) != NULL) {
                at = strstr(at, close) + strlen(close);
                skipped = true;
                break;
            }
        }
        if (skipped)
            continue;
        if (strncmp(at, "<!--", 4) == 0) {
            at = strstr(at, "-->") != NULL ? strstr(at, "-->") + 3 : at + strlen(at);
        } else if (*at == '<') {
            at = put_tag(f, at, number);
        } else if (isspace((unsigned char)*at)) { /* a blank says as much as a line of them */
            fputc(strchr(at, '\n') == at ? '\n' : ' ', f);
            at += strspn(at, " \t\r\n");
        } else {
            fputc(*at++, f);
        }
    }
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (f == NULL)
        return NULL;
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}

void report_figure(struct report *r, const char *stem, const char *caption)
{
    char name[64], *path, *svg;

    snprintf(name, sizeof name, "%s.svg", stem);
    path = stage_path(r->folder, name);
    svg = path != NULL ? read_all(path) : NULL;
    if (svg != NULL) {
        r->n_figures++;
        fprintf(r->f,
                "<figure id=figure-%s>\n<div class=card role=img aria-labelledby=caption-%s>\n",
                stem, stem);
        put_picture(r->f, svg, r->n_figures);
        fprintf(r->f, "</div>\n<figcaption id=caption-%s><b>Figure %zu.</b> ", stem, r->n_figures);
        report_put(r, caption);
        report_put(r, "</figcaption>\n</figure>\n");
    }
    free(svg);
    gtr_free(path);
}
