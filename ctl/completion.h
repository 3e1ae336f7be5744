/* completion.h - completion scripts for shells. */
#ifndef KNSCTL_COMPLETION_H
#define KNSCTL_COMPLETION_H

#include "ctl/options.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints the script for a shell (bash, zsh, fish; verbs: their names alone) from a table of verbs (NULL name ends). False: no
 * such shell. */
bool kns_completion_print(FILE *out, const char *shell, const struct kns_verb *verbs,
                          const struct kns_option *common);

#endif
