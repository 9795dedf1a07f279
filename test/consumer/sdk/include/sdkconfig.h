/* What ESP-IDF makes of Kconfig. */
#include "config.h"
