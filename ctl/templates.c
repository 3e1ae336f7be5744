/* knsctl template: the built-in templates, to copy and change. */
#include "ctl/ctl.h"

#include "lib/digest.h"

#include <stdio.h>
#include <string.h>

static int list(void)
{
    const char *name = NULL, *text = NULL;

    for (size_t i = 0; kns_digest_template(i, &name, &text); i++)
        puts(name);
    return KNS_EXIT_OK;
}

int kns_cmd_template(struct kns_call *call)
{
    const char *wanted = call->args.n_operands == 0 ? NULL : call->args.operands[0];
    const char *name = NULL, *text = NULL;

    if (wanted == NULL)
        return list();
    for (size_t i = 0; kns_digest_template(i, &name, &text); i++)
        if (strcmp(name, wanted) == 0) {
            fputs(text, stdout);
            return KNS_EXIT_OK;
        }
    return kns_call_fail(call, KNS_EXIT_NOT_FOUND,
                         "template %s: there is none of this name (knsctl template lists them)",
                         wanted);
}
