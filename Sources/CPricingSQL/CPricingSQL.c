#include "CPricingSQL.h"
