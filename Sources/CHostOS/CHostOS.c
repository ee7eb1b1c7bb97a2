#include "CHostOS.h"
