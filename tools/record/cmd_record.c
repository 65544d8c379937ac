/* cmd_record.c - gradtrace record: run a PyTorch script as it is, and record its gradients.
 *
 * What can be refused is refused before the command starts: the options are given to the library's
 * recorder once here, which tries the path and leaves nothing behind.
 */

#include "record_run.h"

/* What the recorder in the command would refuse, now. */
static enum gtr_code try_options(const struct record_request *request, struct gtr_err *err)
{
    struct gtr_recorder *recorder = NULL;
    enum gtr_code rc = gtr_recorder_open(request->output, &request->options, &recorder, err);

    gtr_recorder_abandon(recorder);
    return rc;
}

int cmd_record(int argc, char **argv)
{
    struct record_request request = { 0 };
    struct record_places places = { 0 };
    struct gtr_err err = { 0 };
    char *folder = NULL;
    bool started;
    enum gtr_code rc;
    int status;

    record_request_parse(&request, argc, argv);
    rc = try_options(&request, &err);
    if (rc == GTR_OK)
        rc = record_places_find(&places, &err);
    if (rc == GTR_OK)
        rc = record_notes_begin(&request, &folder, &err);
    if (rc == GTR_OK) {
        status = record_child_run(&request, &places, folder, &started);
        if (started)
            record_notes_tell(&request, folder);
    } else {
        status = cli_fail(&request.common, &err);
    }
    record_notes_remove(folder);
    record_places_free(&places);
    record_request_free(&request);
    return status;
}
