"""``make bench``: the table of docs/performance.md, measured on this machine."""

import os
import platform

from tests.bench import journeys, reads


def main() -> None:
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {loads}, {platform.python_version()}"
    )
    reads.main()
    journeys.main()
    print("load now:", " ".join(f"{load:.1f}" for load in os.getloadavg()))


if __name__ == "__main__":
    main()
