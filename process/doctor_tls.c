/* doctor_tls.c: what `gearshift doctor` tells of TLS: the libraries that the project knows, whether
 * this program has them, and whether the kernel encrypts. */
#include "process/doctor.h"

#include "core/check.h"
#include "engines/ktls.h"
#include "tls/tls.h"

/* Each with the package of Debian that the build looks for. */
static const struct {
    const char *name, *package;
} libraries[] = {
    { "openssl", "libssl-dev" },
    { "mbedtls", "libmbedtls-dev" },
};

static void examine_library(struct doctor_report *report, const char *name, const char *package)
{
    const struct tls_ops *ops = tls_find(name);
    struct doctor_finding *finding = doctor_add(report, DOCTOR_TLS, name, ops != NULL);
    char features[256];

    if (ops == NULL) {
        doctor_say(finding, "not built in");
        doctor_advise(finding, "install %s and build again, if tls_backend = %s is wanted", package,
                      name);
        return;
    }
    ops->features(features, sizeof(features));
    doctor_say(finding, "%s%s", features,
               ops == tls_at(0) ? "; taken unless tls_backend says" : "");
}

static void examine_kernel(struct doctor_report *report)
{
    char why[256];
    bool ok = ktls_probe(why, sizeof(why)) == 0;
    struct doctor_finding *finding = doctor_add(report, DOCTOR_TLS, "ktls", ok);

    if (ok) {
        doctor_say(finding, "the kernel encrypts what is sent, files by sendfile too");
        return;
    }
    doctor_say(finding, "%s; the server encrypts itself", why);
    doctor_advise(finding,
                  "long answers cost less with it; a line `tls` in /etc/modules-load.d/ "
                  "loads the module with the system, where the kernel has it (CONFIG_TLS)");
}

void doctor_examine_tls(struct doctor_report *report)
{
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
        examine_library(report, libraries[i].name, libraries[i].package);
    examine_kernel(report);
}
