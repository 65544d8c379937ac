/* stage.h - a hidden folder in which files are made before they are shown.
 *
 * gnuplot writes its files bit by bit and names them itself (for LaTeX, two that refer to each
 * other), so a whole picture is drawn under its final names in a folder of its own, and its files
 * are then moved out of it one by one.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>

#include "gradtrace_lab.h"

/* Makes PARENT/.gradtrace-XXXXXX.  Free with stage_close, which removes it and what is in it. */
enum gtr_code stage_open(const char *parent, char **stage, struct gtr_err *err);
void stage_close(char *stage);

/* "STAGE/NAME", to be freed with gtr_free; NULL if there is no memory. */
char *stage_path(const char *folder, const char *name);

/* Moves a file of the stage to FOLDER/NAME, on the same file system, durably. */
enum gtr_code stage_move(const char *stage, const char *name, const char *folder, bool force,
                         struct gtr_err *err);

#endif
