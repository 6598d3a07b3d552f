// Host names in options. Threads: the one that parses options; no state.
#pragma once

#include <argp.h>
#include <sys/socket.h>

enum { LQ_HOST_SIZE = 64 }; // an IP address as text, including the NUL

// Converts the value of --option to an IP address to listen on, as text in `out`: an address is
// copied, "localhost" becomes 127.0.0.1, and any other name is resolved to its first address
// (/etc/hosts, DNS). A name without one ends the program with the resolver's reason.
const char *lq_cli_host(struct argp_state *state, const char *option, const char *name,
                        char out[LQ_HOST_SIZE]);
