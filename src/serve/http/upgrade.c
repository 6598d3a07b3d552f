// Requests for a WebSocket: checks access and finds the route.
#include <string.h>

#include "serve/http/request.h"

const struct lq_web_route *lq_web_find_route(const struct lq_web *web, const char *path,
                                             bool admin)
{
    for (const struct lq_web_route *route = web->routes; route->path; route++)
        if (strcmp(route->path, path) == 0 && (!admin || route->admin))
            return route;
    return NULL;
}

bool lq_web_may_enter(const struct lq_web *web, const struct lq_web_route *route,
                      const struct lq_http_request *http)
{
    bool guarded = !route || route->guarded;
    return !guarded || lq_access_token(web->access, http) ||
           (route && route->is_known && route->is_known(route->context, http));
}

static void refuse(struct lq_web *web, struct lq_http_request *http, int code,
                   const char *headers, int status, const char *why)
{
    struct lq_error error;
    lq_fail(&error, status, "%s", why);
    lq_web_refuse(web, http, code, headers, &error);
}

void lq_web_upgrade(struct lq_web *web, struct lq_http_request *http)
{
    char origin[256];
    const char *headers;
    bool cross;
    int code;
    const char *fault = lq_http_ws_fault(http, &code, &headers);
    const struct lq_web_route *route = lq_web_find_route(web, lq_http_path(http), false);
    if (route && !route->upgrade)
        route = NULL;
    if (fault)
        refuse(web, http, code, headers, LQ_ERR_ARGUMENT, fault);
    else if (!lq_web_may_enter(web, route, http))
        refuse(web, http, 401, "www-authenticate: Bearer\r\n", LQ_ERR_AUTH, LQ_WANTS_TOKEN);
    else if (!lq_access_origin(web->access, http, origin, sizeof origin, &cross))
        refuse(web, http, 403, NULL, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    else if (route)
        route->upgrade(route->context, http);
    else
        refuse(web, http, 404, NULL, LQ_ERR_NOT_FOUND, "there is no WebSocket at this path");
}
