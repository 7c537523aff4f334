#pragma once
#include <libpq-fe.h>

#if defined(__linux__)
#include <pthread.h>
#include <sys/types.h>

// Swift's Glibc module is read without _GNU_SOURCE, which hides these three:
int pipe2(int ends[2], int flags);                          // a pipe that is closed on exec from its first moment
int pidfd_open(pid_t pid, unsigned int flags);              // waits for a process that is not our child
int pthread_setname_np(pthread_t thread, const char *name); // names a thread for ps and gdb
#endif
