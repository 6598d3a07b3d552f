#include "cli/host.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "net/address.h"

// Resolvers accept "1.2.3" as an address of three parts; it is not a host name.
static bool is_address(const char *text)
{
    struct lq_net_address address;
    return lq_net_address_parse(&address, text) || strchr(text, ':') ||
           strspn(text, "0123456789.") == strlen(text);
}

const char *lq_cli_host(struct argp_state *state, const char *option, const char *name,
                        char out[LQ_HOST_SIZE])
{
    if (strcmp(name, "localhost") == 0)
        return "127.0.0.1"; // minimal containers have no /etc/hosts
    if (is_address(name))
        return name;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int code = getaddrinfo(name, NULL, &hints, &found);
    if (code == 0)
        code = getnameinfo(found->ai_addr, found->ai_addrlen, out, LQ_HOST_SIZE, NULL, 0,
                           NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    if (code != 0)
        argp_failure(state, 2, 0, "--%s: cannot resolve '%.120s': %s", option, name,
                     code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
    return out;
}
