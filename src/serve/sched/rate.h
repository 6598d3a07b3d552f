// What a live client should send, so that its frames queue neither here nor in the network: how
// many frames a second, at what size and quality. The frame rate follows the load and is the same
// for all; size and quality follow each client's own network (docs/PROTOCOL.md, "Rate control").
// Threads: the loop's. Owner: the struct's holder; nothing is allocated.
#pragma once

#include <stdbool.h>

enum {
    LQ_RATE_FPS_MAX = 60,
    LQ_RATE_FPS_MIN = 10, // less is no longer a stream: it is better to refuse new clients
};

// One second of the server's operation.
struct lq_rate_second {
    double demand;    // work that arrived, relative to what can be done; 1: exactly that
    double frames_max; // frames a second that the workers can process; 0: unknown
    int sessions;     // sessions that sent something
};

// The new frame rate, when `fps` was sent before.
double lq_rate_fps(double fps, const struct lq_rate_second *second);

// A client's network, as it reports it.
struct lq_rate_network {
    int level; // 0: no problem
    int calm;  // number of good reports in a row
};
// network_ms: mean time from sending a frame to its reply, minus the server's own time.
void lq_rate_network_report(struct lq_rate_network *network, double network_ms);

struct lq_rate {
    int fps, width, jpeg; // maximum frames a second; longer side in pixels; JPEG quality in both
                          // directions
    const char *why;      // "load", "network", or "none": no limit needed
};
struct lq_rate lq_rate_of(double fps, const struct lq_rate_network *network);
// Whether the difference is worth a message.
bool lq_rate_differs(const struct lq_rate *a, const struct lq_rate *b);
