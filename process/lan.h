/* lan.h: under which addresses others reach a server that listens on all of this machine's. Called
 * by life.c, once it serves, for whoever started it by hand. */
#ifndef PROCESS_LAN_H
#define PROCESS_LAN_H

#include "config/config.h"

#include <stdint.h>
#include <stdio.h>

enum { LAN_ADDRESSES_MAX = 16 };

/* Writes a line each, "  http://192.0.2.7:8080/ (eth0)", for the addresses of interfaces that are
 * up, LAN_ADDRESSES_MAX at most, where `listen` is on all addresses (0.0.0.0, [::]); nothing where
 * it is not, or where the kernel does not tell (getifaddrs(3)). Link-local addresses of IPv6 are
 * left out: a browser takes none. */
void lan_print(const struct listen_config *listen, uint16_t port, FILE *out);

#endif
