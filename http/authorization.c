/* authorization.c: see authorization.h. */
#include "http/authorization.h"

#include "core/base64.h"

#include <string.h>

bool http_authorization_parse(struct span value, struct http_credentials *ret_credentials)
{
    static const struct span scheme = SPAN_LIT("Basic");
    struct http_credentials *c = ret_credentials;
    const char *colon;
    long len;

    if (value.len <= scheme.len || value.ptr[scheme.len] != ' ' ||
        !span_caseeq(span_make(value.ptr, scheme.len), scheme))
        return false;
    value = span_trim(span_make(value.ptr + scheme.len, value.len - scheme.len));
    len = base64_decode(value, (uint8_t *)c->text, sizeof(c->text) - 1);
    if (len <= 0)
        return false;
    c->text[len] = '\0';
    for (long i = 0; i < len; i++) { /* section 2 */
        if ((unsigned char)c->text[i] < ' ' || c->text[i] == 0x7f)
            return false;
    }
    colon = strchr(c->text, ':');
    if (colon == NULL)
        return false;
    c->name = span_make(c->text, (size_t)(colon - c->text));
    c->password = colon + 1;
    return c->name.len <= HTPASSWD_NAME_MAX && strlen(c->password) < PASSWORD_SIZE;
}

void http_credentials_wipe(struct http_credentials *credentials)
{
    explicit_bzero(credentials, sizeof(*credentials));
}
