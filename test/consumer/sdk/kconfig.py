"""python3 kconfig.py KCONFIG HEADER [NAME=VALUE...]: the header of a configuration; a warning is an error."""
import sys

import kconfiglib

kconf = kconfiglib.Kconfig(sys.argv[1], warn_to_stderr=False)
for assignment in sys.argv[3:]:
    name, value = assignment.split("=")
    symbol = kconf.syms[name]
    if not symbol.set_value(value) or symbol.str_value != value:
        sys.exit(f"{name} cannot be {value}")
kconf.write_autoconf(sys.argv[2])
sys.exit("\n".join(kconf.warnings) or 0)
