#include "serve/routes.h"

#include "base/limits.h"
#include "serve/http/api.h"
#include "serve/http/status.h"
#include "serve/live/live.h"
#include "serve/sio/clients.h"
#include "serve/sio/polling.h"
#include "serve/sio/socket.h"

enum { GET = 1 << LQ_HTTP_GET | 1 << LQ_HTTP_HEAD, POST = 1 << LQ_HTTP_POST };

#define API .methods = POST, .guarded = true, .start = lq_api_start,                              \
            .body_done = lq_api_body_done, .wake = lq_api_wake, .closed = lq_api_closed
#define SOCKETIO .methods = GET | POST, .guarded = true, .same_origin = true,                     \
                 .start = lq_sio_polling_start, .body_done = lq_sio_polling_body_done,            \
                 .wake = lq_sio_polling_wake, .closed = lq_sio_polling_closed,                    \
                 .upgrade = lq_sio_upgrade, .is_known = lq_sio_is_known

// Any other path is a file of the page, or not found.
static const struct lq_web_route table[] = {
    {"/healthz", .methods = GET, .admin = true, .start = lq_status_health},
    {"/readyz", .methods = GET, .admin = true, .start = lq_status_ready},
    {"/metrics", .methods = GET, .guarded = true, .admin = true, .start = lq_status_metrics},
    {"/api/v1/info", .methods = GET, .guarded = true, .start = lq_api_info},
    {"/api/looks", .methods = GET, .guarded = true, .start = lq_api_looks},
    // Named like the files of a static site (src/cli/site_page.c), so that the page can use the
    // same name.
    {"/api/v1/info.json", .methods = GET, .guarded = true, .start = lq_api_info},
    {"/api/looks.json", .methods = GET, .guarded = true, .start = lq_api_looks},
    {"/api/v1/nails", API},
    {"/api/process", API},
    {"/api/process_base64", API},
    {"/ws", .guarded = true, .upgrade = lq_live_upgrade},
    {"/socket.io/", SOCKETIO},
    {"/socket.io", SOCKETIO},
};
_Static_assert(LQ_COUNT(table) < LQ_ROUTES_MAX, "the last route has no path");

void lq_routes_init(struct lq_routes *routes, struct lq_live_connections *live,
                    struct lq_sio_clients *sio)
{
    *routes = (struct lq_routes){0};
    for (size_t i = 0; i < LQ_COUNT(table); i++) {
        routes->all[i] = table[i];
        if (table[i].upgrade)
            routes->all[i].context = table[i].is_known ? (void *)sio : live;
    }
}
