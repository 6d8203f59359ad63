/* search_check.c: a look, just before an answer is composed, at what it tells of. See search.h. */
#include "http/search.h"

#include "core/check.h"

bool http_search_want_check(struct http_exchange *x, const struct file_entry *entry)
{
    enum { UNTRUE_MAX = 8 }; /* a file that changes all the time is announced as it just was */
    struct http_static *s = &x->search;

    if (s->lookups_untrue == UNTRUE_MAX)
        return true;
    http_search_set(&s->opened, NULL); /* a sidecar that others have found meanwhile, too */
    file_job_init_stat(&x->job, entry->fd);
    x->job_state = HTTP_JOB_WANTED;
    return false;
}

void http_search_check_done(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct file_entry *entry = s->sidecar != NULL ? s->sidecar : s->entry;
    CHECK(entry != NULL && entry->fd == x->job.fd_read);
    s->checked = x->job.res == 0 && file_meta_equal(&entry->meta, &x->job.meta);
    if (s->checked)
        return;
    http_compress_end(x); /* of what it was */
    s->untagged = false;
    file_entry_forget(entry);
    s->lookups_untrue++;
    if (s->sidecar != NULL) {
        http_search_set(&s->sidecar, NULL);
        s->step = HTTP_SEARCH_SIDECAR;
        if (s->found_codings == 0) { /* it was a delta */
            s->codings_ordered = false;
            s->step = HTTP_SEARCH_SIDECAR_PROBE;
        }
    } else {
        http_search_set(&s->entry, NULL);
        s->step = s->found_step;
    }
}
