/* config_print.c: goes by the table, so that no key can be missing. Each location is written with
 * all of its keys, since what it had inherited is not known any more. */
#include "config/config_print.h"
#include "core/check.h"
#include "config/config_keys.h"
#include "config/config_lex.h"
#include "config/config_printer.h"
#include "config/config_rules.h"
#include "config/config_tls.h"
#include "config/config_value.h"
#include "config/map_values.h"
#include "config/security_headers.h"
#include "config/site_redirects.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static uint32_t load_u32(const void *member)
{
    uint32_t value;

    memcpy(&value, member, sizeof(value));
    return value;
}

static uint64_t load_u64(const void *member)
{
    uint64_t value;

    memcpy(&value, member, sizeof(value));
    return value;
}

static const char *load_text(const void *member)
{
    const char *text;

    memcpy(&text, member, sizeof(text));
    return text;
}

static void print_texts(struct printer *printer, const struct config_key *key, const void *base)
{
    char **texts;
    size_t count;

    memcpy(&texts, (const char *)base + key->offset, sizeof(texts));
    memcpy(&count, (const char *)base + key->count_offset, sizeof(count));
    printer_list(printer, key->name, texts, count);
}

/* A key whose value lies in `base`. */
static void print_key(struct printer *printer, const struct config_key *key, const void *base)
{
    const void *member = (const char *)base + key->offset;
    char text[CONFIG_VALUE_TEXT_MAX];
    const char *string;
    bool on;

    switch (key->type) {
    case CONFIG_BOOL:
        memcpy(&on, member, sizeof(on));
        snprintf(text, sizeof(text), "%s", on ? "on" : "off");
        break;
    case CONFIG_COUNT:
        snprintf(text, sizeof(text), "%" PRIu32, load_u32(member));
        break;
    case CONFIG_SIZE32:
        config_size_format(load_u32(member), text);
        break;
    case CONFIG_SIZE64:
        config_size_format(load_u64(member), text);
        break;
    case CONFIG_DURATION:
        config_key_duration(key, load_u32(member), text, sizeof(text));
        break;
    case CONFIG_CHOICE:
        snprintf(text, sizeof(text), "%s", key->choices[load_u32(member)]);
        break;
    case CONFIG_TEXT:
    case CONFIG_PATH:
        string = load_text(member);
        printer_setting(printer, key->name, string != NULL ? string : "");
        return;
    case CONFIG_TEXTS:
        print_texts(printer, key, base);
        return;
    default:
        UNREACHABLE();
    }
    printer_name(printer, key->name);
    fprintf(printer->out, "%s\n", text);
}

static void print_types(struct printer *printer, const struct header_rule *types, size_t count)
{
    printer_list_begin(printer, "types");
    for (size_t i = 0; i < count; i++)
        printer_list_item(printer, types[i].name, "=", types[i].value);
    printer_list_end(printer);
}

/* Is there a field of that name, compared without case? */
static bool has_header(const struct location *location, struct span name)
{
    for (size_t i = 0; i < location->headers_count; i++) {
        if (span_caseeq(span_str(location->headers[i].name), name))
            return true;
    }
    return false;
}

/* Fields of its preset that this location does without, but for those that are the default's, too.
 */
static void print_preset_removed(struct printer *printer, const struct location *location)
{
    size_t count;
    const struct security_field *fields = security_fields(location->security_headers, &count);

    for (size_t i = 0; i < count; i++) {
        if (!has_header(location, span_str(fields[i].name)) &&
            strcmp(fields[i].name, "X-Content-Type-Options") != 0)
            printer_list_item(printer, fields[i].name, ":", "");
    }
}

/* Default fields that this location does without have to be removed by name. */
static void print_headers(struct printer *printer, const struct location *location)
{
    const struct config_key *key = config_key_find("headers");
    struct config_lexer lexer;
    struct config_token token;

    printer_list_begin(printer, key->name);
    config_lexer_init(&lexer, span_str(key->fallback), 1);
    while ((token = config_lexer_next(&lexer)).kind != CONFIG_TOKEN_END) {
        char name[64];
        size_t len = strcspn(token.text.ptr, ":");

        if (token.kind != CONFIG_TOKEN_STRING)
            continue;
        CHECK(len < sizeof(name) && len < token.text.len);
        snprintf(name, sizeof(name), "%.*s", (int)len - 1, token.text.ptr + 1);
        if (!has_header(location, span_str(name)))
            printer_list_item(printer, name, ":", "");
    }
    print_preset_removed(printer, location);
    for (size_t i = 0; i < location->headers_count; i++) {
        const struct header_rule *header = &location->headers[i];
        const char *preset = security_field_value(location->security_headers, header->name);

        if (preset == NULL || strcmp(preset, header->written) != 0)
            printer_list_item(printer, header->name, ": ", header->written);
    }
    printer_list_end(printer);
}

static void print_error_pages(struct printer *printer, const struct location *location)
{
    printer_list_begin(printer, "error_pages");
    for (size_t i = 0; i < location->error_pages_count; i++) {
        char status[16];

        snprintf(status, sizeof(status), "%d", location->error_pages[i].status);
        printer_list_item(printer, status, "=", location->error_pages[i].written);
    }
    printer_list_end(printer);
}

static void print_codings(struct printer *printer, const char *name, unsigned codings)
{
    printer_list_begin(printer, name);
    for (unsigned coding = CODING_COUNT; coding-- > 0;) {
        if ((codings & 1u << coding) != 0)
            printer_list_item(printer, config_coding_name((enum coding)coding), "", "");
    }
    printer_list_end(printer);
}

static void print_cache_rule(struct printer *printer, const struct cache_rule *rule)
{
    char text[CONFIG_VALUE_TEXT_MAX];

    printer_block(printer, CONFIG_CACHE, pattern_word(rule->pattern.kind), rule->pattern.text.ptr);
    if (rule->control != NULL)
        printer_setting(printer, "control", rule->control);
    if (rule->expires_s >= 0) {
        config_duration_format((uint64_t)rule->expires_s * 1000, text);
        printer_name(printer, "expires");
        fprintf(printer->out, "%s\n", text);
    }
    printer_block_end(printer);
}

static void print_cache_rules(struct printer *printer, const struct cache_rules *rules)
{
    for (size_t i = 0; rules != NULL && i < rules->count; i++)
        print_cache_rule(printer, &rules->rules[i]);
}

static void print_field_block(struct printer *printer, const struct header_block *block)
{
    static const struct {
        enum field_deed deed;
        const char *key;
    } deeds[] = { { FIELD_SET, "set" },
                  { FIELD_ADD, "add" },
                  { FIELD_APPEND, "append" },
                  { FIELD_REMOVE, "remove" } };

    printer_block(printer, CONFIG_FIELDS, pattern_word(block->pattern.kind),
                  block->pattern.text.ptr);
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        printer_list_begin(printer, deeds[i].key);
        for (size_t j = 0; j < block->count; j++) {
            const struct field_rule *rule = &block->rules[j];
            bool removed = rule->deed == FIELD_REMOVE;
            const char *written = removed                       ? ""
                                  : rule->field.written != NULL ? rule->field.written
                                                                : rule->field.value;

            if (rule->deed == deeds[i].deed)
                printer_list_item(printer, rule->field.name, removed ? "" : ": ", written);
        }
        printer_list_end(printer);
    }
    print_key(printer, config_key_find("answers"), block);
    printer_block_end(printer);
}

static void print_field_blocks(struct printer *printer, const struct header_blocks *blocks)
{
    for (size_t i = 0; blocks != NULL && i < blocks->count; i++)
        print_field_block(printer, &blocks->blocks[i]);
}

/* What `key` says of who may. */
static void print_admission(struct printer *printer, const struct config_key *key,
                            const struct admission *admission)
{
    static const struct admission nobody;
    static const struct client_rules no_rules;
    static const struct referer_rules no_referers;
    static const struct signed_rules no_keys;
    const struct admission *all = admission != NULL ? admission : &nobody;
    const struct client_rules *clients = all->by_address != NULL ? all->by_address : &no_rules;
    const struct referer_rules *pages = all->referers != NULL ? all->referers : &no_referers;
    const struct signed_rules *keys = all->signed_by != NULL ? all->signed_by : &no_keys;

    if (strcmp(key->name, "allow") == 0) {
        printer_list(printer, key->name, clients->allow, clients->allow_count);
    } else if (strcmp(key->name, "deny") == 0) {
        printer_list(printer, key->name, clients->deny, clients->deny_count);
    } else if (strcmp(key->name, "referers") == 0) {
        printer_list(printer, key->name, pages->texts, pages->count);
    } else if (strcmp(key->name, "signed") == 0) {
        printer_list(printer, key->name, (char **)(uintptr_t)keys->paths, keys->count);
    } else if (all->auth == NULL) {
        printer_name(printer, key->name);
        fputs("off\n", printer->out);
    } else {
        printer_block(printer, CONFIG_AUTH, "", all->auth->realm);
        printer_setting(printer, "users", all->auth->path);
        printer_block_end(printer);
    }
}

/* Only where there is one: a location without a block is printed into its server, where it cannot
 * stand. */
static void print_rewrite(struct printer *printer, const struct location *location)
{
    if (location->rewrite != NULL)
        printer_setting(printer, "rewrite", location->rewrite->text);
}

static void print_location(struct printer *printer, const struct location *location)
{
    if (location->file.len > 0) {
        printer_name(printer, "alias");
        putc('"', printer->out);
        printer_escaped(printer, location->root->path);
        printer_escaped(printer, "/");
        printer_escaped(printer, location->file.ptr);
        fputs("\"\n", printer->out);
    } else if (location->root != NULL) {
        printer_setting(printer, location->strip_prefix ? "alias" : "root", location->root->path);
    }
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if ((key->blocks & 1u << CONFIG_LOCATION) == 0)
            continue;
        if (key->offset != CONFIG_NO_OFFSET)
            print_key(printer, key, location);
        else if (key->type == CONFIG_HEADERS)
            print_headers(printer, location);
        else if (key->type == CONFIG_ERROR_PAGES)
            print_error_pages(printer, location);
        else if (key->type == CONFIG_TEXTS || key->type == CONFIG_PATHS ||
                 key->type == CONFIG_CHOICE)
            print_admission(printer, key, location->admission);
        else if (key->type == CONFIG_TYPES)
            print_types(printer, location->types, location->types_count);
        else if (key->type == CONFIG_CODINGS)
            print_codings(printer, key->name,
                          strcmp(key->name, "compress") == 0 ? location->compress
                          : strcmp(key->name, "deltas") == 0 ? location->deltas
                                                             : location->precompressed);
        else if (strcmp(key->name, "rewrite") == 0)
            print_rewrite(printer, location);
        else if (strcmp(key->name, "return") == 0)
            printer_setting(printer, key->name,
                            location->answer != NULL ? location->answer->written : "");
        else
            CHECK(key->type == CONFIG_PATH || key->type == CONFIG_INCLUDE); /* root, alias */
    }
    print_cache_rules(printer, location->cache_own);
    print_field_blocks(printer, location->fields_own);
}

/* Several sockets that were passed under one name are one element. */
static bool is_written_already(const struct config *config, size_t index)
{
    for (size_t i = 0; i < index && config->listens[index].inherited != NULL; i++) {
        if (strcmp(config->listens[i].text, config->listens[index].text) == 0)
            return true;
    }
    return false;
}

/* Parameters are the same wherever an address stands, so they are written everywhere. */
static void print_listens(struct printer *printer, const struct config *config,
                          const struct server *server)
{
    printer_list_begin(printer, "listen");
    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];
        const char *ipv6_only = listen->ipv6_only ? " ipv6only=on" : " ipv6only=off";
        char parameters[96];

        for (size_t j = 0; j < listen->servers_count; j++) {
            if (listen->servers[j] != server || is_written_already(config, i))
                continue;
            snprintf(parameters, sizeof(parameters), "%s%s%s backlog=%d%s%s%s",
                     listen->tls ? " tls" : "", listen->proxy_protocol ? " proxy_protocol" : "",
                     listen->deferred ? " deferred" : "", listen->backlog,
                     listen->congestion != NULL ? " congestion=" : "",
                     listen->congestion != NULL ? listen->congestion : "",
                     listen->kind == LISTEN_IPV6 && listen->inherited == NULL ? ipv6_only : "");
            printer_list_item(printer, listen->text, parameters, "");
        }
    }
    printer_list_end(printer);
}

static void print_protocols(struct printer *printer, const struct config *config)
{
    printer_list_begin(printer, "tls_protocols");
    for (unsigned bit = TLS_PROTOCOL_1_2; bit <= TLS_PROTOCOL_1_3; bit <<= 1) {
        if ((config->tls.protocols & bit) != 0)
            printer_list_item(printer, config_protocol_name((enum tls_protocol)bit), "", "");
    }
    printer_list_end(printer);
}

static void print_certificates(struct printer *printer, const struct server *server)
{
    printer_list_begin(printer, "certificate");
    for (size_t i = 0; i < server->certificates_count; i++)
        printer_list_item(printer, server->certificates[i].chain_path, "", "");
    printer_list_end(printer);
    printer_list_begin(printer, "key");
    for (size_t i = 0; i < server->certificates_count; i++)
        printer_list_item(printer, server->certificates[i].key_path, "", "");
    printer_list_end(printer);
    printer_list_begin(printer, "ocsp");
    bool any = false;
    for (size_t i = 0; i < server->certificates_count; i++)
        any |= server->certificates[i].ocsp_path != NULL;
    for (size_t i = 0; any && i < server->certificates_count; i++) {
        const char *path = server->certificates[i].ocsp_path;
        printer_list_item(printer, path != NULL ? path : "", "", "");
    }
    printer_list_end(printer);
}

/* NULL: none are asked for anything; the keys say so. */
static void print_client_auth(struct printer *printer, const struct client_auth *auth)
{
    static const char *const keys[] = { "tls_client_ca", "tls_verify", "tls_verify_depth",
                                        "tls_crl" };
    static char nothing[] = "";
    static const struct client_auth none = { .ca = nothing, .crl = nothing, .depth = 1 };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        print_key(printer, config_key_find(keys[i]), auth != NULL ? auth : &none);
}

static void print_access(struct printer *printer, const struct config *config,
                         const struct server *server)
{
    const struct access_rules *rules = server->access;

    printer_setting(
        printer, "access_log",
        server->access_log == CONFIG_NO_LOG ? "off" : config->access_logs[server->access_log].path);
    printer_setting(printer, "access_log_format", rules->format->text);
    printer_setting(printer, "access_log_sample", rules->sample);
    printer_list(printer, "access_log_status", rules->statuses, rules->statuses_count);
    printer_list(printer, "access_log_skip", rules->skip, rules->skip_count);
}

static void print_redirects(struct printer *printer, const struct redirect *redirects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct redirect *redirect = &redirects[i];
        const char *word = redirect->pattern != NULL ? pattern_word(redirect->pattern->kind)
                           : redirect->exact         ? "="
                           : redirect->firm          ? "^~"
                                                     : "";

        printer_block(printer, CONFIG_REDIRECT, word, redirect->from.ptr);
        printer_setting(printer, "to", redirect->to);
        printer_name(printer, "status");
        fprintf(printer->out, "%d\n", redirect->status);
        printer_block_end(printer);
    }
}

static void print_server(struct printer *printer, const struct config *config,
                         const struct server *server)
{
    putc('\n', printer->out);
    printer_block(printer, CONFIG_SERVER, "", server->name);
    if (config->server_set_by[0] != '\0')
        fprintf(printer->out, "%*s# set by %s\n", 4 * printer->indent, "", config->server_set_by);
    print_listens(printer, config, server);
    print_certificates(printer, server);
    print_client_auth(printer, server->client_auth);
    printer_list_begin(printer, "alias_hosts");
    for (size_t i = 1; i < server->hosts_count; i++)
        printer_list_item(printer, server->hosts[i], "", "");
    printer_list_end(printer);
    printer_setting(printer, "status_page", server->status_page != NULL ? server->status_page : "");
    printer_list_begin(printer, "status_allow");
    for (size_t i = 0; i < server->status_allow_count; i++)
        printer_list_item(printer, server->status_allow_texts[i], "", "");
    printer_list_end(printer);
    printer_setting(printer, "health", server->health != NULL ? server->health : "");
    print_access(printer, config, server);
    printer_setting(printer, "redirects_file",
                    server->site_redirects != NULL ? server->site_redirects->written : "off");
    print_redirects(printer, server->redirects, server->redirects_count);
    print_redirects(printer, server->redirects_exact, server->redirects_exact_count);
    print_redirects(printer, server->redirects_patterns.items, server->redirects_patterns.count);
    print_cache_rules(printer, server->cache);
    print_field_blocks(printer, server->fields);
    /* With one location only, its keys stand in the server itself, where nothing inherits them. */
    for (size_t i = 0; i < server->locations_count; i++) {
        const struct pattern *pattern = &server->locations[i].pattern;
        bool alone = server->locations_count == 1 && !server->locations[i].strip_prefix &&
                     pattern->kind == PATTERN_PREFIX && server->locations[i].cache_own == NULL &&
                     server->locations[i].fields_own == NULL &&
                     server->locations[i].rewrite == NULL;

        if (!alone)
            printer_block(printer, CONFIG_LOCATION, pattern_word(pattern->kind), pattern->text.ptr);
        print_location(printer, &server->locations[i]);
        if (!alone)
            printer_block_end(printer);
    }
    printer_block_end(printer);
}

static void print_map(struct printer *printer, const struct config_map *map)
{
    fputs("\nmap \"", printer->out);
    printer_escaped(printer, map->source->text);
    fprintf(printer->out, "\" \"$%s\" {\n", map->name);
    printer->indent++;
    for (size_t i = 0; i < map->entries_count; i++) {
        bool is_default = map_key_is_default(span_str(map->entries[i].key));

        fprintf(printer->out, "%*s%s", 4 * printer->indent, "", is_default ? "" : "\"");
        printer_escaped(printer, map->entries[i].key);
        fputs(is_default ? " = \"" : "\" = \"", printer->out);
        printer_escaped(printer, map->entries[i].value);
        fputs("\"\n", printer->out);
    }
    printer_list(printer, "file", map->files, map->files_count);
    printer_name(printer, "ignore_case");
    fputs(map->ignore_case ? "on\n" : "off\n", printer->out);
    printer_name(printer, "hostnames");
    fputs(map->hostnames ? "on\n" : "off\n", printer->out);
    printer_block_end(printer);
}

int config_print(const struct config *config, FILE *out)
{
    struct printer printer = { .out = out };

    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if ((key->blocks & 1u << CONFIG_TOP) == 0 || key->type == CONFIG_INCLUDE)
            continue;
        fprintf(out, "# %s\n", key->help);
        if (config_place_is_outside(config->key_places[i]))
            fprintf(out, "# set by %s\n", config->key_places[i]);
        if (key->offset != CONFIG_NO_OFFSET) {
            print_key(&printer, key, config);
        } else if (key->type == CONFIG_PROTOCOLS) {
            print_protocols(&printer, config);
        } else {
            CHECK(key->type == CONFIG_TYPES);
            print_types(&printer, config->types, config->types_count);
        }
    }
    for (size_t i = 0; i < config->maps_count; i++)
        print_map(&printer, &config->maps[i]);
    for (size_t i = 0; i < config->servers_count; i++)
        print_server(&printer, config, &config->servers[i]);
    return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
