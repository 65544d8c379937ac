/* tfevents.h - the files of TensorBoard: their framing, which reader and writer share.
 *
 * A record is
 *
 *     u64 n | u32 masked CRC-32C of these 8 bytes | n bytes | u32 masked CRC-32C of them
 *
 * little-endian, and the bytes are a protocol buffer, Event: wall_time (1, double), step (2,
 * varint), file_version (3) or summary (5), whose values (1) have tag (1), simple_value (2, float)
 * or tensor (8).  From tensorflow/core/lib/io/record_writer and core/util/event.proto.
 */
#ifndef GTR_TFEVENTS_H
#define GTR_TFEVENTS_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli), rotated and shifted so that a CRC of CRCs is none. */
uint32_t gtr_tfevents_crc(const void *bytes, size_t n);

#endif
