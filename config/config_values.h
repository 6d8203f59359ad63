/* config_values.h: texts with variables (match/template.h) in the configuration: what their names
 * mean here, and the sentence for one that means nothing. */
#ifndef CONFIG_CONFIG_VALUES_H
#define CONFIG_CONFIG_VALUES_H

#include "config/config.h"
#include "config/config_build.h"
#include "match/pattern.h"
#include "match/template.h"

/* Where a text stands. */
struct config_scope {
    const struct config_build *build;
    struct config *config;     /* its engine is known; template_uses is added to */
    const struct regex *regex; /* whose captures hold there; NULL: nothing captures */
    bool logged;               /* a line of the access log, which knows more (access_format.h) */
};

/* Compiles `text`, of the key or block `subject` at `place`. 0, -ENOMEM, or -EINVAL and a sentence.
 */
int config_template(const struct config_scope *scope, struct config_place place,
                    const char *subject, const char *text, const struct template **ret_template);

/* Likewise, of a place that has sentences of its own: -EINVAL and in `what`, cut at `what_size`,
 * what is wrong, to stand behind the text. */
int config_template_of(const struct config_scope *scope, const char *text, char *what,
                       size_t what_size, const struct template **ret_template);

/* Likewise, a URL that something leads to (template_url_check()). */
int config_template_url(const struct config_scope *scope, struct config_place place,
                        const char *subject, const char *text,
                        const struct template **ret_template);

#endif
