/* file_table.h: finds what is kept of files by the hash of their names: chains in a table that
 * grows by one chain at a time (linear hashing, Litwin 1980), so that no request waits until all
 * entries have been put into a larger one, and a small site touches little memory. Each chain has
 * marks of the hashes in it, so that who asks for what is not there touches no entry: with many of
 * them each is a wait for memory. */
#ifndef HTTP_FILE_TABLE_H
#define HTTP_FILE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct file_name;
struct file_node;

struct file_chain {
    struct file_node *first;
    uint64_t marks; /* a bit for each hash in the chain, and perhaps of some that have gone */
};

struct file_table {
    struct file_chain *chains; /* chains_max of them; memory that was not touched is the kernel's */
    size_t chains_max;         /* a power of two */
    size_t level;              /* chains there were when the present round began: a power of two, */
    size_t split;              /* and how many of them have been split in it */
    size_t count;
};

/* For entries_max entries, more or less. 0 or -ENOMEM. */
int file_table_init(struct file_table *table, size_t entries_max);

void file_table_free(struct file_table *table);

/* The first entry of the chain in which entries of that hash are; the next is its hash_next. NULL:
 * there is none, or at least none of that hash. */
struct file_node *file_table_chain(const struct file_table *table, uint32_t hash);

/* The entry of that name; NULL: there is none. */
struct file_node *file_table_find(const struct file_table *table, const struct file_name *name);

void file_table_add(struct file_table *table, struct file_node *node);

void file_table_remove(struct file_table *table, struct file_node *node);

#endif
