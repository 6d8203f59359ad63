/* mbed_dn.c: see mbed_dn.h.
 *
 * In place of mbedtls_x509_dn_gets(), which writes the parts the other way round, with blanks
 * between them, and of whose versions not all escape a comma in a value: a client could choose a
 * name that reads as somebody else's. */
#include "tls/mbed_dn.h"

#include "tls/mbed_compat.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>

enum { PARTS_MAX = 64 };

/* What is written so far. */
struct text {
    char *at, *end; /* one octet is left at `end`, for the NUL */
};

static bool put(struct text *text, const char *data, size_t len)
{
    if (len > (size_t)(text->end - text->at))
        return false;
    memcpy(text->at, data, len);
    text->at += len;
    return true;
}

static bool put_type(struct text *text, const mbedtls_asn1_buf *oid)
{
    const char *name = NULL;
    char number[128];

    if (mbedtls_oid_get_attr_short_name(oid, &name) == 0)
        return put(text, name, strlen(name));
    int len = mbedtls_oid_get_numeric_string(number, sizeof(number), oid);
    return len > 0 && put(text, number, (size_t)len);
}

static bool put_hex(struct text *text, const unsigned char *data, size_t len)
{
    char two[3];

    for (size_t i = 0; i < len; i++) {
        snprintf(two, sizeof(two), "%02X", data[i]);
        if (!put(text, two, 2))
            return false;
    }
    return true;
}

/* One octet of a text, escaped where it would be taken for something else (RFC 4514 section 2.4),
 * or might not be printable. */
static bool put_octet(struct text *text, unsigned char octet, bool is_first, bool is_last)
{
    char one = (char)octet;

    if (octet < 0x20 || octet == 0x7f)
        return put(text, "\\", 1) && put_hex(text, &octet, 1);
    bool escaped = strchr("\"+,;<>\\", one) != NULL || (is_first && (one == '#' || one == ' ')) ||
                   (is_last && one == ' ');
    return (!escaped || put(text, "\\", 1)) && put(text, &one, 1);
}

static bool put_value(struct text *text, const mbedtls_asn1_buf *value)
{
    bool is_text = value->tag == MBEDTLS_ASN1_UTF8_STRING ||
                   value->tag == MBEDTLS_ASN1_PRINTABLE_STRING ||
                   value->tag == MBEDTLS_ASN1_IA5_STRING;

    if (!is_text) {
        unsigned char tag = (unsigned char)value->tag;
        return put(text, "#", 1) && put_hex(text, &tag, 1) && put_hex(text, value->p, value->len);
    }
    for (size_t i = 0; i < value->len; i++) {
        if (!put_octet(text, value->p[i], i == 0, i + 1 == value->len))
            return false;
    }
    return true;
}

bool mbed_dn_print(const mbedtls_x509_name *name, char *ret_text, size_t size)
{
    const mbedtls_x509_name *parts[PARTS_MAX];
    struct text text = { ret_text, ret_text + size - 1 };
    size_t count = 0;

    for (; name != NULL && name->oid.p != NULL; name = name->next) {
        if (count == PARTS_MAX)
            return false;
        parts[count++] = name;
    }
    for (size_t i = count; i > 0; i--) {
        const mbedtls_x509_name *part = parts[i - 1];
        /* It is joined to the part behind it in the certificate, which was written before. */
        const char *between = i == count ? "" : mbed_next_merged(part) ? "+" : ",";
        if (!put(&text, between, strlen(between)) || !put_type(&text, &part->oid) ||
            !put(&text, "=", 1) || !put_value(&text, &part->val))
            return false;
    }
    *text.at = '\0';
    return true;
}
