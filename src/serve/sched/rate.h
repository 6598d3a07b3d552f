// What a live client had better send, so that its frames neither queue here nor on the way: how
// many a second, how large, how well coded. The rate follows the load and is the same for all; size
// and quality follow each client's own network (docs/PROTOCOL.md, "Rate control").
// Threads: the loop's. Owner: the struct's holder; nothing is allocated.
#pragma once

#include <stdbool.h>

enum {
    LQ_RATE_FPS_MAX = 60,
    LQ_RATE_FPS_MIN = 10, // below that it is no longer a stream: better to refuse who comes next
};

// One second of a server's life.
struct lq_rate_second {
    double demand;    // work that came over work that can be done: 1 = just as much
    double frames_max; // frames a second that the workers can do; 0: not known
    int sessions;     // that sent something
};

// The rate to send from now on, when `fps` was sent before.
double lq_rate_fps(double fps, const struct lq_rate_second *second);

// A client's network, as the client reports it.
struct lq_rate_network {
    int level; // 0: all is well
    int calm;  // good reports in a row
};
// network_ms: a frame's mean time from sending to reply, less the server's own.
void lq_rate_network_report(struct lq_rate_network *network, double network_ms);

struct lq_rate {
    int fps, width, jpeg; // frames a second at most; longer side in pixels; quality of both ways
    const char *why;      // "load", "network", or "none": all is well
};
struct lq_rate lq_rate_of(double fps, const struct lq_rate_network *network);
// Whether that is worth another message.
bool lq_rate_differs(const struct lq_rate *a, const struct lq_rate *b);
