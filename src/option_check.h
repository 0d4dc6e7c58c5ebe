/*
 * What the options must be together, beyond what each is by itself: no contradictions, and nothing that could never
 * have an effect.
 */
#ifndef SRC_OPTION_CHECK_H
#define SRC_OPTION_CHECK_H

#include "src/options.h"

/* -1 with an error that names the option. */
int options_check(const struct options *options, struct error *error) __attribute__((warn_unused_result));

#endif
