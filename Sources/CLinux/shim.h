#pragma once
// What Swift's Glibc module does not carry.
#include <sys/epoll.h>
#include <sys/timerfd.h>
