"""python3 choices.py KCONFIG FOLDER [NAME=VALUE...]: each different header that switching hawser's choices on and off can make,
as FOLDER/N.h."""
import os
import sys
from itertools import product

import kconfiglib

kconf = kconfiglib.Kconfig(sys.argv[1], warn_to_stderr=False)
for assignment in sys.argv[3:]:
    name, value = assignment.split("=")
    kconf.syms[name].set_value(value)
switches = [s for s in kconf.unique_defined_syms if s.name.startswith("HAWSER_") and s.type == kconfiglib.BOOL]
seen = set()
for values in product((0, 2), repeat=len(switches)):
    for switch, value in zip(switches, values):
        switch.set_value(value)
    result = tuple(switch.tri_value for switch in switches)
    if result not in seen:
        kconf.write_autoconf(os.path.join(sys.argv[2], f"{len(seen)}.h"))
        seen.add(result)
sys.exit("\n".join(kconf.warnings) or 0)
