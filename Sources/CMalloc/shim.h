#pragma once
#include <malloc.h> // malloc_trim, which Swift's Glibc module does not carry
