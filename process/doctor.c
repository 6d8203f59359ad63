/* doctor.c: the sub-command `doctor`: prints what was found, for people or for programs. */
#include "process/doctor.h"

#include "core/check.h"
#include "core/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const group_names[DOCTOR_GROUPS] = { "engines", "files", "tls", "machine" };

static void print_text(const struct doctor_report *report)
{
    for (unsigned group = 0; group < DOCTOR_GROUPS; group++) {
        printf("%s%s\n", group > 0 ? "\n" : "", group_names[group]);
        for (size_t i = 0; i < report->count; i++) {
            const struct doctor_finding *finding = &report->findings[i];
            if (finding->group != group)
                continue;
            printf("  %s %-20s %s\n", finding->ok ? "+" : "-", finding->name, finding->text);
            if (finding->advice[0] != '\0')
                printf("    %-20s > %s\n", "", finding->advice);
        }
    }
}

static void print_string(const char *text)
{
    struct span left = span_str(text);

    putchar('"');
    while (left.len > 0) {
        char character[JSON_CHAR_MAX];
        size_t used;
        char *end = json_put_char(character, left, &used);

        fwrite(character, 1, (size_t)(end - character), stdout);
        left = span_make(left.ptr + used, left.len - used);
    }
    putchar('"');
}

static void print_finding(const struct doctor_finding *finding, bool first)
{
    printf("%s\n    { \"name\": ", first ? "" : ",");
    print_string(finding->name);
    printf(", \"ok\": %s, \"text\": ", finding->ok ? "true" : "false");
    print_string(finding->text);
    if (finding->advice[0] != '\0') {
        printf(", \"advice\": ");
        print_string(finding->advice);
    }
    printf(" }");
}

static void print_json(const struct doctor_report *report)
{
    printf("{\n  \"version\": ");
    print_string(GEARSHIFT_VERSION);
    for (unsigned group = 0; group < DOCTOR_GROUPS; group++) {
        bool first = true;
        printf(",\n  \"%s\": [", group_names[group]);
        for (size_t i = 0; i < report->count; i++) {
            if (report->findings[i].group != group)
                continue;
            print_finding(&report->findings[i], first);
            first = false;
        }
        printf("\n  ]");
    }
    printf("\n}\n");
}

int doctor(int argc, char **argv)
{
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc != 1 && !json) {
        fprintf(stderr,
                "gearshift: doctor takes nothing but --json, not '%s'\n"
                "Try 'gearshift -h'.\n",
                argv[argc - 1]);
        return 2;
    }
    struct doctor_report *report = calloc(1, sizeof(*report));
    if (report == NULL) {
        fprintf(stderr, "gearshift: out of memory\n");
        return 1;
    }
    doctor_examine(report);
    if (json)
        print_json(report);
    else
        print_text(report);
    int status = report->can_serve ? 0 : 69;
    free(report);
    return status;
}
