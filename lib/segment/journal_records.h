/* journal_records.h - the records of a journal, as journal.c reads and journal_write.c writes. */
#ifndef GTR_JOURNAL_RECORDS_H
#define GTR_JOURNAL_RECORDS_H

#include <stdint.h>

/* Kinds are four letters, so that the start of a record can be found again after damage. */
#define GTR_JOURNAL_HEADER UINT32_C(0x6872544a) /* "JTrh" */
#define GTR_JOURNAL_ROW    UINT32_C(0x7772544a) /* "JTrw" */
#define GTR_JOURNAL_AMEND  UINT32_C(0x6d61544a) /* "JTam" */
#define GTR_JOURNAL_STOP   UINT32_C(0x7473544a) /* "JTst" */

/* Of the length of a text that is not known, as against an empty one. */
#define GTR_JOURNAL_NO_TEXT UINT32_MAX

enum {
    GTR_JOURNAL_VERSION = 1,
    GTR_JOURNAL_BEFORE = 8, /* bytes of a record before what it holds: kind and length */
    GTR_JOURNAL_AFTER = 4,  /* the sum */
    GTR_JOURNAL_AMEND_BYTES = 17,
    GTR_JOURNAL_STOP_MOST = 255 /* bytes of the text, at least 1 */
};

/* Syncs the folder that `path` lies in, so that a rename in it is durable. */
void gtr_folder_sync(const char *path);

#endif
