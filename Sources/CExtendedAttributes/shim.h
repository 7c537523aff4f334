#pragma once
#include <sys/xattr.h> // setxattr, which Swift's Glibc module does not carry
