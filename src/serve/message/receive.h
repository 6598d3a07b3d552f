// Room for bytes as they come: it grows with what has come, not with what a client claims to send.
// Threads: any. Owner: the caller's buffer.
#pragma once

#include "base/buf.h"

// Where the next bytes go behind what is in `buf`, of `coming` that are known to come; *size says
// how many fit. NULL: no memory, or beyond the buffer's maximum.
uint8_t *lq_receive_room(struct lq_buf *buf, size_t coming, size_t *size);
