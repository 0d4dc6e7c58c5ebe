/*
 * How many files a process may have open. Every client of the bridge takes one, so it raises its own limit as far as it
 * may; its children get back what it was started with, since programs that use select(2), or close all that they might
 * have open, count on a low one.
 */
#ifndef SRC_CHILD_FILE_LIMIT_H
#define SRC_CHILD_FILE_LIMIT_H

#include "bridge/base/error.h"

/* What the bridge needs before the first client comes, with some for children. */
enum { FILE_LIMIT_LEAST = 48 };

/* Raises the limit of this process, and remembers the one before. -1 when it stays below FILE_LIMIT_LEAST. */
int file_limit_raise(struct error *error) __attribute__((warn_unused_result));

/* The limit before, to be given to children; 0 when it was not raised. */
unsigned long long file_limit_before(void);

/* Lowers the limit of this process to one that file_limit_before() has returned; 0 changes nothing. */
void file_limit_restore(unsigned long long before);

#endif
