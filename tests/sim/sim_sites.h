/* sim_sites.h: two sites of one configuration, with the same names and other contents, for
 * simulated sessions that run side by side: whose octets an answer holds can be told from any part
 * of it. Files may be replaced while sessions run, and whole releases: the root of a site is a link
 * to one. Each release has one of two files that `try` asks for in turn, so that a search that
 * looks into two releases finds neither. */
#ifndef SIM_SITES_H
#define SIM_SITES_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

enum { SIM_SITES = 2, SIM_FILES = 17 };

/* A file beneath the root of a site. */
struct sim_file {
    const char *name;
    size_t size;
    bool changes; /* sim_sites_replace() may be called for it */
    bool grows;   /* ... and writes it in place: each version is longer than the one before */
};

extern const struct sim_file sim_files[SIM_FILES];

struct sim_sites {
    char folder[64];       /* temporary; the roots are in it */
    struct config *config; /* server "a" and server "b", each on both addresses; the second address
                              has TLS */
    unsigned versions[SIM_SITES][SIM_FILES]; /* from 1 on */
    unsigned releases[SIM_SITES];            /* the present one, from 1 on */
    unsigned oldest[SIM_SITES];              /* the oldest one that is still there */
};

/* Makes the folder and loads the configuration; `compresses`: server "b" compresses all that it has.
 * Aborts when it cannot. */
void sim_sites_create(struct sim_sites *sites, bool compresses);

/* Removes the folder and frees the configuration. */
void sim_sites_destroy(struct sim_sites *sites);

/* The number of the file `name` of a site, or -1. */
int sim_sites_find(const char *name, size_t len);

/* Files that grow are as in the beginning again: so that the same seed is the same run. */
void sim_sites_reset(struct sim_sites *sites);

/* Octets of a file in this version. */
size_t sim_sites_size(unsigned file, unsigned version);

/* The octet at `at` of a file in this version. */
char sim_sites_octet(unsigned site, unsigned file, unsigned version, size_t at);

/* Puts the next version of a file in its place: by a rename, as deploys do, or, where it grows,
 * over the octets of the old one. */
void sim_sites_replace(struct sim_sites *sites, unsigned site, unsigned file);

/* Makes another release, with the next version of each file, and switches the root to it, by the
 * rename of a link, as deploys do. The old one stays. */
void sim_sites_switch(struct sim_sites *sites, unsigned site);

/* Removes the old releases. */
void sim_sites_tidy(struct sim_sites *sites);

/* The release that the body of SIM_EITHER comes from; 0: it is none of this site's. */
unsigned sim_sites_release(const struct sim_sites *sites, unsigned site, const char *body,
                           size_t len);

/* What is asked for to be answered with the file that only some releases have, or else the other.
 */
#define SIM_EITHER "either/x"

/* Is `body` the contents of that file in this version? */
bool sim_sites_is(unsigned site, unsigned file, unsigned version, const char *body, size_t len);

#endif
