/* file_entry.c: what an entry of the file cache tells of itself. See file_cache.h. */
#include "http/file_cache.h"

#include <errno.h>

bool file_entry_is(const struct file_entry *entry, uint64_t root_id, enum file_symlinks symlinks,
                   struct span path)
{
    return entry->root_id == root_id && entry->symlinks == symlinks &&
           span_eq(span_make(entry->path, entry->path_len), path);
}

bool file_error_is_lasting(int error)
{
    switch (error) {
    case 0:
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case ENXIO:
    case ENODEV:
        return true;
    default:
        return false;
    }
}

bool file_entry_is_passing(const struct file_entry *entry)
{
    return !file_error_is_lasting(entry->error);
}

size_t file_entry_memory(const struct file_entry *entry)
{
    const struct file_fields *fields = entry->fields;
    size_t content = entry->content != NULL ? (size_t)entry->meta.size : 0;
    size_t of_fields = fields != NULL ? sizeof(*fields) + fields->len + fields->asked_len : 0;

    return sizeof(*entry) + entry->path_len + content + of_fields;
}
