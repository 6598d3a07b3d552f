#include "engine/elf_needed.h"

#include <elf.h>
#include <string.h>

#include "base/file.h"

struct file {
    const uint8_t *bytes;
    size_t len;
    Elf64_Ehdr head;
};

// Copies `size` bytes from an offset; false if the file ends before.
static bool get(const struct file *file, uint64_t at, void *out, size_t size)
{
    if (at > file->len || size > file->len - at)
        return false;
    memcpy(out, file->bytes + at, size);
    return true;
}

static bool read_head(struct file *file)
{
    return get(file, 0, &file->head, sizeof file->head) &&
           memcmp(file->head.e_ident, ELFMAG, SELFMAG) == 0 &&
           file->head.e_ident[EI_CLASS] == ELFCLASS64 &&
           file->head.e_ident[EI_DATA] ==
               (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB) &&
           file->head.e_phentsize == sizeof(Elf64_Phdr);
}

static bool get_segment(const struct file *file, int index, Elf64_Phdr *segment)
{
    uint64_t at = file->head.e_phoff + (uint64_t)index * sizeof *segment;
    return at >= file->head.e_phoff && get(file, at, segment, sizeof *segment);
}

// Converts a virtual address to an offset in the file.
static bool offset_of(const struct file *file, uint64_t address, uint64_t *offset)
{
    Elf64_Phdr segment;
    for (int i = 0; i < file->head.e_phnum && get_segment(file, i, &segment); i++)
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_filesz)
            return !__builtin_add_overflow(segment.p_offset, address - segment.p_vaddr, offset);
    return false;
}

static bool get_dynamic(const struct file *file, const Elf64_Phdr *segment, uint64_t index,
                        Elf64_Dyn *entry)
{
    uint64_t at = index * sizeof *entry;
    return at < segment->p_filesz && segment->p_offset <= UINT64_MAX - at &&
           get(file, segment->p_offset + at, entry, sizeof *entry) && entry->d_tag != DT_NULL;
}

static bool list(const struct file *file, const Elf64_Phdr *dynamic,
                 void (*row)(void *, const char *), void *context)
{
    Elf64_Dyn entry;
    uint64_t text = 0, at;
    bool found = false;
    for (uint64_t i = 0; get_dynamic(file, dynamic, i, &entry); i++)
        if (entry.d_tag == DT_STRTAB)
            found = offset_of(file, entry.d_un.d_ptr, &text);
    for (uint64_t i = 0; found && get_dynamic(file, dynamic, i, &entry); i++) {
        if (entry.d_tag != DT_NEEDED)
            continue;
        if (__builtin_add_overflow(text, entry.d_un.d_val, &at) || at >= file->len ||
            !memchr(file->bytes + at, 0, file->len - at))
            return false;
        row(context, (const char *)file->bytes + at);
    }
    return found;
}

bool lq_elf_needed(const uint8_t *bytes, size_t len, void (*row)(void *, const char *),
                   void *context)
{
    struct file file = {.bytes = bytes, .len = len};
    Elf64_Phdr segment;
    if (!read_head(&file))
        return false;
    for (int i = 0; i < file.head.e_phnum && get_segment(&file, i, &segment); i++)
        if (segment.p_type == PT_DYNAMIC)
            return list(&file, &segment, row, context);
    return false;
}

bool lq_elf_needed_file(const char *path, void (*row)(void *, const char *), void *context)
{
    size_t len;
    const void *bytes = lq_file_map(path, &len);
    bool fine = bytes && lq_elf_needed(bytes, len, row, context);
    lq_file_unmap(bytes, len);
    return fine;
}
