#pragma once
#include <sys/epoll.h> // epoll_wait, which Swift's Glibc module does not carry
