"""Figures for Prometheus, in a registry of this controller's own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Metrics"]


class Metrics:
    """Everything that is counted. Names begin with `quiethall_controller_`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.facts = self._counter("facts", "facts stored")
        self.messages = self._counter("messages", "messages of agents applied")
        self.quarantined = self._counter("quarantined", "messages of agents not applied")
        self.notices_sent = Counter(
            "quiethall_controller_notices",
            "notices by how they ended",
            ["state"],
            registry=self._registry,
        )
        self.ingest_seconds = Histogram(
            "quiethall_controller_ingest_seconds",
            "from arrival of a batch to after its commit",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
            registry=self._registry,
        )
        self.halls = self._gauge("halls", "enrolled halls")
        self.halls_online = self._gauge("halls_online", "halls connected")
        self.facts_missing = self._gauge("facts_missing", "facts halls have told of and not yet sent")
        self.wishes_open = self._gauge("wishes_unacknowledged", "wishes sent and not acknowledged")
        self.alarms_open = self._gauge("alarms_open", "open alarms")
        self.watchers = self._gauge("watchers", "open event streams")
        self.broker_connected = self._gauge("broker_connected", "1 while the broker is connected")

    def text(self) -> bytes:
        """All figures in the text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, about: str) -> Counter:
        return Counter(f"quiethall_controller_{name}", about, registry=self._registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(f"quiethall_controller_{name}", about, registry=self._registry)
