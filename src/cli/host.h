// Names of hosts in options. Threads: the one that parses them; no state.
#pragma once

#include <argp.h>
#include <sys/socket.h>

enum { LQ_HOST_SIZE = 64 }; // an IP address as text, with its NUL

// The address to listen on for what --option was given, as text into `out`: an address as it
// stands, "localhost" as 127.0.0.1, any other name as the first address that the system resolves it
// to (/etc/hosts, DNS). A name that has none ends the program with the resolver's reason.
const char *lq_cli_host(struct argp_state *state, const char *option, const char *name,
                        char out[LQ_HOST_SIZE]);
