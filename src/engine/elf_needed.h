// Lists the libraries that a shared library needs, read from its file, so that missing ones can be
// named before the loader stops at the first.
//
// The file is a 64-bit ELF file in this machine's byte order (elf(5)): a header, then program
// headers. PT_DYNAMIC leads to pairs of tag and value; DT_NEEDED values are offsets into the text
// at DT_STRTAB, an address that a PT_LOAD segment maps back to the file.
// Threads: any. Owner: nothing is kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Calls row once per library name. False if the bytes are not such a file.
bool lq_elf_needed(const uint8_t *bytes, size_t len, void (*row)(void *context, const char *name),
                   void *context);
// The same for a file.
bool lq_elf_needed_file(const char *path, void (*row)(void *context, const char *name),
                        void *context);
