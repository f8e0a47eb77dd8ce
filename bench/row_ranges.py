"""Do quoted ranges hold on lived days, and how long does one take in a crowded county hall?"""

from statistics import mean
from time import perf_counter

from bench.figures import Figure, Target, figure, percentile, spread
from bench.lived_days import SIZES, crowd, live
from bench.runner import Run
from hall_core.queueing.estimates import service_range

__all__ = ["measure"]

#: a range of minutes in which nobody really waits is no achievement
WORTH_MIN = 5
WAITING, COUNTERS = 200, "county"


async def measure(run: Run) -> list[Figure]:
    """The share of people whose wait lay in the range they were told, and what a range costs in a crowd."""
    figures = [_cost(10 if run.quick else 100)]
    for size in SIZES:
        run.say(f"days of a {size} hall")
        promises = [p for seed in range(1 if run.quick else 5) for p in live(size, seed)]
        quoted = [p for p in promises if p.high is not None]
        waited = [p for p in quoted if p.high is not None and p.high > WORTH_MIN]
        share = 100 * sum(p.held for p in waited) / len(waited)
        width = mean(p.high - p.low for p in waited if p.high is not None and p.low is not None)
        note = f"{len(waited)} people told more than {WORTH_MIN} min; range {width:.0f} min wide, mean wait "
        note += f"{mean(p.waited for p in waited):.0f} min; all {len(quoted)}: "
        note += f"{100 * sum(p.held for p in quoted) / len(quoted):.0f} %"
        figures.append(figure(f"range_held_{size}", share, "%", Target(least=80), note=note))
    return figures


def _cost(times: int) -> Figure:
    """One range after the other, for each service in turn."""
    queue, now = crowd(COUNTERS, WAITING)
    assert queue.setup is not None
    assert len(queue.waiting) == WAITING
    took = []
    for n in range(times):
        service = queue.setup.services[n % len(queue.setup.services)].id
        began = perf_counter()
        found = service_range(queue, service, now)
        took.append(perf_counter() - began)
        assert found is not None
    note = f"{WAITING} waiting, {len(queue.counters)} counters; {spread(took)}"
    return figure("range_200_of_33", 1000 * percentile(took, 99), "ms", Target(most=50), note=note)
