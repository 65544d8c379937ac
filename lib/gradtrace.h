/* gradtrace.h - record the gradients of a training run once, ask every clipping question offline.
 *
 * What stands here stays: errors, traces, groups, policies, replay and recording.  Studies, and all
 * else that the program gradtrace is made of, are in gradtrace_lab.h, which may change.  Each part
 * is a manual of its own.
 *
 * The library never prints, never exits, and reads neither arguments nor the environment.
 * Ownership follows the verbs: _new/_free and _open/_close pair up, _find and _name return static
 * data, _read and _write move whole objects; every _free takes NULL.
 *
 * Structs that say how a call does its work (gtr_record_options, gtr_writer_options,
 * gtr_replay_options) start with their size, which _init sets together with the defaults:
 *
 *     struct gtr_replay_options options;
 *
 *     gtr_replay_options_init(&options);
 *     options.keep_interval = 1;
 *
 * They may grow at their end: a program that was compiled before gets the defaults of the fields
 * that it does not know.  A size of 0, and a size that the library does not know yet, are errors.
 * All other structs stay as they are.
 *
 * Same trace, same settings, same release: same bits, on any x86-64 build of this library.
 */
#ifndef GRADTRACE_H
#define GRADTRACE_H

#include "err.h"
#include "free.h"
#include "device.h"
#include "sample.h"
#include "trace.h"
#include "groups.h"
#include "series.h"
#include "policy_list.h"
#include "catalogue.h"
#include "setting.h"
#include "replay.h"
#include "sumsq.h"
#include "sumsq_cuda.h"
#include "recorder.h"

#endif
