// Where the code at hand lies: the program or, in another program, liblacquer.so. What belongs to
// the source folder (OpenVINO, the model) is used from the build folder only. An installed program
// must not look there: the path may be anybody's by now.
// Threads: any. Owner: texts are the caller's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Whether it is still in the folder it was built in; whose file it is then (*owner).
bool lq_place_is_built(uid_t *owner);

// "FOLDER OF THE CODE AT HAND/relative". In a host program that is liblacquer's folder, not the
// host's. False: unknown.
bool lq_place_beside(char *path, size_t size, const char *relative);

// "PREFIX/relative", where PREFIX is what it was installed under, told from where it lies now: an
// installation may be moved as a whole. False: it lies in none of an installation's folders.
bool lq_place_installed(char *path, size_t size, const char *relative);

// Who owns the file with the code at hand. False: it cannot be told.
bool lq_place_owner(uid_t *owner);
