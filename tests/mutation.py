"""The score of a mutation run, and its floor: `tox -e mutation`."""

import json
import sys
from pathlib import Path

STATISTICS = Path("mutants/mutmut-cicd-stats.json")
# Below it a guard was lost; what survives above it is listed in docs/testing.md.
FLOOR = 0.93


def main() -> None:
    """Print the score of the last run; exit with 1 where it is below the floor."""
    counts: dict[str, int] = json.loads(STATISTICS.read_text())
    # A mutant that hangs is found, too.
    found, total = counts["killed"] + counts["timeout"], counts["total"]
    print(f"{found} of {total} mutants found: {found / total:.1%}; the floor is {FLOOR:.0%}")  # noqa: T201
    if found < FLOOR * total:
        sys.exit("Too many live: `mutmut results` names them, `mutmut show NAME` shows each.")


if __name__ == "__main__":
    main()
