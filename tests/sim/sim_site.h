/* sim_site.h: the small site that simulated sessions serve, and its configuration. */
#ifndef SIM_SITE_H
#define SIM_SITE_H

#include "config/config.h"

struct sim_site {
    char root[64]; /* temporary folder */
    struct config *config;
};

/* Makes the folder and loads a configuration for it. Aborts when it cannot. */
void sim_site_create(struct sim_site *site);

/* Removes the folder and frees the configuration. */
void sim_site_destroy(struct sim_site *site);

#endif
