"""`./dev simulate --seed N` tells one history; `--seeds N` runs many and counts."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack

from tests.simulation import mutants
from tests.simulation.world import STEPS, Result, Violation, simulate

HEADLINE = ("tickets", "calls", "facts", "messages", "looks", "short messages")


def say(text: str) -> None:
    """To whoever runs this, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def repeat(seed: int, steps: int = STEPS, mutant: str = "") -> str:
    """How somebody sees the same history again."""
    more = f" --steps {steps}" if steps != STEPS else ""
    return f"./dev simulate --seed {seed}{more}" + (f" --mutant {mutant}" if mutant else "")


def _one(work: tuple[int, int, str]) -> tuple[int, list[Violation], dict[str, int]]:
    seed, steps, mutant = work
    result = run_with(seed, steps, mutant)
    return seed, result.violations, result.counts


def run_with(seed: int, steps: int, mutant: str) -> Result:
    """One history, of the product or of a mutant of it."""
    with ExitStack() as stack:
        if mutant:
            stack.enter_context(mutants.MUTANTS[mutant].applied())
        return simulate(seed, steps=steps)


def _results(
    work: Iterable[tuple[int, int, str]], jobs: int
) -> Iterator[tuple[int, list[Violation], dict[str, int]]]:
    if jobs <= 1:
        yield from map(_one, work)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_one, work, chunksize=4)


def _tell(seed: int, steps: int, mutant: str) -> int:
    result = run_with(seed, steps, mutant)
    for at, what in result.history:
        say(f"{at:10.3f}  {' '.join(what)}")
    say(f"\nseed {seed}: {_counted(result.counts)}; history {result.digest}")
    for violation in result.violations:
        say(f"✘ {violation}")
    return 1 if result.violations else 0


def _counted(counts: dict[str, int]) -> str:
    faults = sum(n for name, n in counts.items() if name not in HEADLINE)
    told = ", ".join(f"{counts.get(name, 0):,} {name}" for name in HEADLINE)
    return f"{told}, {faults:,} faults"


def _many(seeds: range, steps: int, jobs: int, mutant: str) -> int:
    began, told = time.monotonic(), time.monotonic()
    total: Counter[str] = Counter()
    broken: dict[int, list[Violation]] = {}
    work = ((seed, steps, mutant) for seed in seeds)
    for n, (seed, violations, counts) in enumerate(_results(work, jobs), start=1):
        total.update(counts)
        if violations:
            broken[seed] = violations
            say(f"✘ seed {seed}: {violations[0]}\n  {repeat(seed, steps, mutant)}")
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"… {n} of {len(seeds)} seeds, {len(broken)} broken")
    took = time.monotonic() - began
    say(f"{len(seeds)} seeds in {took:.0f} s: {_counted(dict(total))}")
    say("  " + ", ".join(f"{name} {n}" for name, n in sorted(total.items()) if name not in HEADLINE))
    codes = Counter(code for found in broken.values() for code in {v.code for v in found})
    say(f"{'✘' if broken else '✔'} {len(broken)} seeds with a broken promise {dict(codes) if codes else ''}")
    return 1 if broken else 0


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell this seed's history")
    parser.add_argument("--seeds", type=int, default=200, help="run so many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--steps", type=int, default=STEPS, help="how long each history is")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--mutant", choices=sorted(mutants.MUTANTS), default="", help="break the product like this"
    )
    asked = parser.parse_args(words)
    if asked.seed is not None:
        return _tell(asked.seed, asked.steps, asked.mutant)
    seeds = range(asked.first, asked.first + asked.seeds)
    return _many(seeds, asked.steps, asked.jobs, asked.mutant)


if __name__ == "__main__":
    sys.exit(main())
