"""All measurements, one after the other, each in a process of its own: `make bench`."""

from __future__ import annotations

import subprocess
import sys

MODULES = ("alignment", "checking", "mastering", "render")


def main() -> None:
    """Run every bench; stop at the first that fails."""
    for name in MODULES:
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)


if __name__ == "__main__":
    main()
