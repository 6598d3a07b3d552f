// Where the running code lies: the program, or liblacquer.so inside another program. Files of the
// source folder (OpenVINO, the model) are used only when running from the build folder. An
// installed program must not use them: somebody else may own that path by now.
// Threads: any. Owner: the caller owns the texts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Whether the code still lies in the folder it was built in; *owner is then the owner of its file.
bool lq_place_is_built(uid_t *owner);

// Writes "FOLDER OF THE RUNNING CODE/relative". Inside a host program that is the folder of
// liblacquer, not of the host. False: unknown.
bool lq_place_beside(char *path, size_t size, const char *relative);

// Writes "PREFIX/relative", where PREFIX is the installation prefix. It is derived from the current
// location of the code, so an installation may be moved as a whole. False: the code is not in any
// folder of an installation.
bool lq_place_installed(char *path, size_t size, const char *relative);

// Who owns the file of the running code. False: unknown.
bool lq_place_owner(uid_t *owner);
