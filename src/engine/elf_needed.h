// Which libraries a shared library needs, read from its file: what is missing is told by name
// before the loader stops at the first.
//
// An ELF file of 64 bits and this machine's byte order (elf(5)): a header, program headers, of
// which PT_DYNAMIC leads to pairs of tag and value; DT_NEEDED values are offsets into the text at
// DT_STRTAB, an address that a PT_LOAD segment brings back to the file.
// Threads: any. Owner: nothing is kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Calls row once for each library's name. False when the bytes are no such file.
bool lq_elf_needed(const uint8_t *bytes, size_t len, void (*row)(void *context, const char *name),
                   void *context);
// The same of a file.
bool lq_elf_needed_file(const char *path, void (*row)(void *context, const char *name),
                        void *context);
