/* client.c: the load of load.h on a server that runs already: `client PORT ACTIVE IDLE FRESH
 * [tls]`. Says "ready" when all connections are made, prints its counts for each line of its
 * standard input, and at its end, with which it ends. Status 0: nobody noticed anything.
 * tests/supervisor/full_load.py runs it. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct load load;
    char word;
    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: client PORT ACTIVE IDLE FRESH [tls]\n");
        return 2;
    }
    const struct load_plan plan = { .port = (uint16_t)atoi(argv[1]),
                                    .active = (unsigned)atoi(argv[2]),
                                    .idle = (unsigned)atoi(argv[3]),
                                    .fresh = (unsigned)atoi(argv[4]),
                                    .secure = argc == 6 && strcmp(argv[5], "tls") == 0 };
    load_start(&load, &plan);
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &word, 1) > 0) {
        if (word == '\n')
            load_tell(&load, &plan, "until now");
    }
    return load_end(&load, &plan, "load") == 0 ? 0 : 1;
}
