/*
 * How much a pipe holds. With more, a long message takes fewer turns between the two processes.
 */
#ifndef SRC_CHILD_PIPE_SIZE_H
#define SRC_CHILD_PIPE_SIZE_H

/*
 * Makes it 1 MiB, where the system can, and lets us: the kernel gives the memory only while it is filled, and may
 * refuse a user who has many such pipes. What a pipe has otherwise, 64 KiB on Linux, works as well.
 */
void pipe_size_enlarge(int pipe);

#endif
