/* node.c: see node.h. */
#include "config/node.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_allowed(char c)
{
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
}

void config_node(const struct config *config, char ret_name[CONFIG_NODE_MAX + 1])
{
    char host[256] = "";

    if (config->node[0] == '\0' && gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    snprintf(ret_name, CONFIG_NODE_MAX + 1, "%.*s", (int)CONFIG_NODE_MAX,
             config->node[0] != '\0' ? config->node : host);
    for (char *at = ret_name; *at != '\0'; at++)
        if (!is_allowed(*at))
            *at = '?';
}

const char *config_node_check(const char *text)
{
    if (strlen(text) > CONFIG_NODE_MAX)
        return "is longer than 64 characters";
    for (const char *at = text; *at != '\0'; at++)
        if (!is_allowed(*at))
            return "holds a blank, a quote, a backslash, or what is not ASCII";
    return NULL;
}
