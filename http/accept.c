/* accept.c: reads Accept-Encoding and Accept, element by element.
 *
 * What is malformed is skipped, because a field that only states a preference is no reason to
 * refuse a request. */
#include "http/accept.h"

#include "core/check.h"
#include "http/octet.h"

#include <stdint.h>

enum {
    WEIGHT_MAX = 1000,
    WEIGHT_NONE = -1,
    /* identity when the client did not speak of it: acceptable, and after all that it asked for. */
    WEIGHT_UNSPOKEN = 1
};

/* One element of a list: NAME *( OWS ";" OWS NAME [ "=" VALUE ] ). */
struct element {
    struct span name;
    int weight;  /* thousandths */
    bool params; /* it has others than q */
};

static const struct span coding_names[CODING_COUNT] = {
    [CODING_IDENTITY] = { "identity", 8 },
    [CODING_GZIP] = { "gzip", 4 },
    [CODING_BR] = { "br", 2 },
    [CODING_ZSTD] = { "zstd", 4 },
    [CODING_DCB] = { "dcb", 3 }, /* RFC 9842 sections 4 and 5 */
    [CODING_DCZ] = { "dcz", 3 },
};

/* Takes `count` octets off the front. */
static struct span take(struct span *in, size_t count)
{
    struct span taken = span_make(in->ptr, count);

    in->ptr += count;
    in->len -= count;
    return taken;
}

static void skip_blanks(struct span *in)
{
    while (in->len > 0 && (in->ptr[0] == ' ' || in->ptr[0] == '\t'))
        take(in, 1);
}

static bool take_octet(struct span *in, char octet)
{
    if (in->len == 0 || in->ptr[0] != octet)
        return false;
    take(in, 1);
    return true;
}

/* Takes a token off the front; a media range's '/' counts as one of its octets. Empty: none. */
static struct span take_token(struct span *in)
{
    size_t len = 0;

    while (len < in->len && (http_octet_is(in->ptr[len], HTTP_OCTET_TOKEN) || in->ptr[len] == '/'))
        len++;
    return take(in, len);
}

/* Length of the quoted-string at the front, up to the end when its closing quote is missing. */
static size_t quoted_len(struct span in)
{
    size_t i = 1;

    while (i < in.len && in.ptr[i] != '"')
        i += in.ptr[i] == '\\' ? 2 : 1;
    return i < in.len ? i + 1 : in.len;
}

/* qvalue: "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3"0" ] (RFC 9110 section 12.4.2). */
static bool weight_parse(struct span text, int *ret_weight)
{
    int weight, scale = 100;

    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return false;
    weight = text.ptr[0] == '1' ? WEIGHT_MAX : 0;
    for (size_t i = 2; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        weight += (text.ptr[i] - '0') * scale;
        scale /= 10;
    }
    if (weight > WEIGHT_MAX)
        return false;
    *ret_weight = weight;
    return true;
}

/* Takes the parameters of an element off the front. */
static bool take_params(struct span *in, struct element *element)
{
    skip_blanks(in);
    while (take_octet(in, ';')) {
        skip_blanks(in);

        struct span name = take_token(in), value = { "", 0 };

        if (name.len == 0)
            return false;
        if (take_octet(in, '='))
            value = in->len > 0 && in->ptr[0] == '"' ? take(in, quoted_len(*in)) : take_token(in);
        if (!span_caseeq(name, SPAN_LIT("q")))
            element->params = true;
        else if (!weight_parse(value, &element->weight))
            return false;
        skip_blanks(in);
    }
    return true;
}

/* Takes the next element and its comma off the front of a list. False: the list is at its end. An
 * element that is empty or malformed is reported with an empty name. */
static bool take_element(struct span *in, struct element *ret_element)
{
    struct element element = { .weight = WEIGHT_MAX };

    skip_blanks(in);
    if (in->len == 0)
        return false;
    element.name = take_token(in);
    if (!take_params(in, &element) || (in->len > 0 && in->ptr[0] != ','))
        element.name.len = 0;
    while (in->len > 0 && in->ptr[0] != ',')
        take(in, in->ptr[0] == '"' ? quoted_len(*in) : 1);
    take_octet(in, ',');
    *ret_element = element;
    return true;
}

void http_codings_init(struct http_codings *codings)
{
    *codings = (struct http_codings){ .any = WEIGHT_NONE };
    codings->weight[CODING_IDENTITY] = WEIGHT_MAX;
}

/* The coding of that name, or CODING_COUNT. */
static enum coding coding_find(struct span name)
{
    enum coding coding = CODING_IDENTITY;

    if (span_caseeq(name, SPAN_LIT("x-gzip"))) /* RFC 9110 section 8.4.1.3 */
        return CODING_GZIP;
    while (coding < CODING_COUNT && !span_caseeq(name, coding_names[coding]))
        coding++;
    return coding;
}

void http_codings_parse(struct http_codings *codings, struct span value)
{
    struct element element;

    CHECK(codings != NULL);
    while (take_element(&value, &element)) {
        enum coding coding = coding_find(element.name);

        if (element.name.len == 0 || element.params)
            continue;
        if (coding != CODING_COUNT && (codings->named & 1u << coding) == 0) {
            codings->named |= 1u << coding;
            codings->weight[coding] = (unsigned short)element.weight;
        } else if (span_eq(element.name, SPAN_LIT("*")) && codings->any == WEIGHT_NONE) {
            codings->any = (short)element.weight;
        }
    }
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        int unnamed = coding == CODING_IDENTITY ? WEIGHT_UNSPOKEN : 0;

        if ((codings->named & 1u << coding) == 0)
            codings->weight[coding] =
                (unsigned short)(codings->any == WEIGHT_NONE ? unnamed : codings->any);
    }
}

size_t http_codings_order(const struct http_codings *codings, unsigned available,
                          enum coding ret_order[CODING_COUNT])
{
    size_t count = 0;

    CHECK(codings != NULL);
    /* From the least liked of equals to the most, each in front of those with no more weight. */
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        unsigned weight = codings->weight[coding];
        size_t place = 0;

        if (coding != CODING_IDENTITY && (weight == 0 || (available & 1u << coding) == 0))
            continue;
        while (place < count && codings->weight[ret_order[place]] > weight)
            place++;
        for (size_t i = count; i > place; i--)
            ret_order[i] = ret_order[i - 1];
        ret_order[place] = coding;
        count++;
    }
    return count;
}

struct span http_coding_name(enum coding coding)
{
    CHECK((unsigned)coding < CODING_COUNT);
    return coding == CODING_IDENTITY ? SPAN_LIT("") : coding_names[coding];
}

struct span http_coding_suffix(enum coding coding)
{
    static const struct span suffixes[CODING_COUNT] = {
        [CODING_IDENTITY] = { "", 0 },
        [CODING_GZIP] = { ".gz", 3 },
        [CODING_BR] = { ".br", 3 },
        [CODING_ZSTD] = { ".zst", 4 },
        [CODING_DCB] = { ".dcb", 4 },
        [CODING_DCZ] = { ".dcz", 4 },
    };

    CHECK((unsigned)coding < CODING_COUNT);
    return suffixes[coding];
}

/* Weights of a media type by how it was matched, the most specific last (RFC 9110 section 12.5.1).
 */
struct preference {
    struct span ranges[3]; /* any type, any subtype, the type itself */
    int weights[3];        /* WEIGHT_NONE: not in the list */
};

static void preference_add(struct preference *preference, const struct element *element)
{
    for (size_t i = 0; i < ARRAY_LEN(preference->ranges); i++)
        if (span_caseeq(element->name, preference->ranges[i]) &&
            element->weight > preference->weights[i])
            preference->weights[i] = element->weight;
}

/* The weight of the most specific range that matched; 0: none did. */
static int preference_weight(const struct preference *preference)
{
    for (size_t i = ARRAY_LEN(preference->weights); i > 0; i--)
        if (preference->weights[i - 1] != WEIGHT_NONE)
            return preference->weights[i - 1];
    return 0;
}

bool http_accept_prefers_json(struct span value)
{
    struct preference json = { { SPAN_LIT("*/*"), SPAN_LIT("application/*"),
                                 SPAN_LIT("application/json") },
                               { WEIGHT_NONE, WEIGHT_NONE, WEIGHT_NONE } };
    struct preference html = { { SPAN_LIT("*/*"), SPAN_LIT("text/*"), SPAN_LIT("text/html") },
                               { WEIGHT_NONE, WEIGHT_NONE, WEIGHT_NONE } };
    struct element element;

    while (take_element(&value, &element)) {
        preference_add(&json, &element);
        preference_add(&html, &element);
    }

    int json_weight = preference_weight(&json), html_weight = preference_weight(&html);

    if (json_weight != html_weight)
        return json_weight > html_weight;
    return json_weight > 0 && json.weights[2] != WEIGHT_NONE && html.weights[2] == WEIGHT_NONE;
}
