/* mix_answer.c: see mix_answer.h. */
#include "http/mix_answer.h"

#include "http/answer_fields.h"
#include "http/fields.h"
#include "http/values.h"

/* The mix for the answer; NULL: the location has none, the path asked for is not known, or it
 * cannot be told. */
const struct http_mix *http_mix_of(struct http_exchange *x, const struct location *location,
                                   enum http_answer answer)
{
    const struct http_mix *mix = NULL;
    struct span file = { "", 0 };
    char text[HTTP_URL_MAX];

    if (!location->has_fields || x->target.path.len == 0)
        return NULL;
    if (answer == HTTP_ANSWER_FILE)
        file = http_fields_path(location, x->search.name, text);
    return http_mix_find(x->env, location, x->target.path, file, &mix) == 0 ? mix : NULL;
}

/* Does a cache block say of the file what the location's list of headers may say with variables?
 * The block is for fewer paths, and wins. */
static bool is_cached(struct http_exchange *x, const struct location *location)
{
    return http_fields_have_cache_rule(x->env, location, x->search.name);
}

size_t http_mix_put_varying(struct http_exchange *x, const struct location *location,
                            enum http_answer answer, char *out)
{
    const struct http_mix *mix;
    bool is_file = answer == HTTP_ANSWER_FILE;
    struct http_values_paths paths;
    struct span file = { "", 0 };
    char text[HTTP_URL_MAX];

    if (!location->has_fields)
        return location->has_varying
                   ? http_values_put_fields(x, location, is_file && is_cached(x, location), out)
                   : 0;
    mix = location->fields_vary ? http_mix_of(x, location, answer) : NULL;
    if (mix == NULL)
        return 0;
    if (is_file)
        file = http_fields_path(location, x->search.name, text);
    for (int of_site = 0; of_site < 2; of_site++) {
        paths.asked[of_site] = http_mix_path(location, of_site != 0, x->target.path);
        paths.file[of_site] = http_mix_path(location, of_site != 0, file);
    }
    return answer == HTTP_ANSWER_ERROR
               ? http_values_put_rules(x, mix->vary_errors, mix->vary_errors_count, false, &paths,
                                       out)
               : http_values_put_rules(x, mix->vary_success, mix->vary_success_count,
                                       is_file && !mix->caching && is_cached(x, location), &paths,
                                       out);
}

struct span http_mix_fields(struct http_exchange *x, const struct location *location,
                            enum http_answer answer, bool own_page)
{
    const struct http_mix *mix = http_mix_of(x, location, answer);

    if (mix == NULL)
        return own_page && location->policy_is_preset
                   ? http_answer_fields_of_own_page(x->env, location)
                   : x->env->location_fields[location->id];
    if (own_page)
        return answer == HTTP_ANSWER_ERROR ? mix->own_errors : mix->own_success;
    return answer == HTTP_ANSWER_ERROR ? mix->errors : mix->success;
}
