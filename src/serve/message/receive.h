// Reserves memory for bytes as they arrive: it grows with what has arrived, not with what a client
// announces.
// Threads: any. Owner: the caller's buffer.
#pragma once

#include "base/buf.h"

// Returns where the next bytes go, after those in `buf`; `coming` bytes are known to follow, and
// *size is set to how many fit. NULL: out of memory, or the buffer's maximum is reached.
uint8_t *lq_receive_room(struct lq_buf *buf, size_t coming, size_t *size);
