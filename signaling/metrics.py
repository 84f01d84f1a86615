"""What an operator's monitoring reads. Numbers only: no name, no address, no site."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from room_manager.media.figures import Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_LATENCY_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """One server's own registry, so that two servers in one test do not meet."""

    def __init__(self, media: Callable[[], Iterable[Family]] = tuple) -> None:
        """``media`` gives what the media engine tells of itself."""
        self.registry = CollectorRegistry()
        self.registry.register(MediaFigures(media))
        r = self.registry
        self.connections = Gauge("diemcau_connections", "Live windows, encoders and players", registry=r)
        self.lobby = Gauge("diemcau_unauthenticated", "WebSockets that have not yet", registry=r)
        self.joins = Counter(
            "diemcau_joins", "Members that came in, by ticket, resume, whip or whep", ["how"], registry=r
        )
        self.events = Counter("diemcau_events", "Events told", registry=r)
        self.fanout_s = Histogram(
            "diemcau_fanout_seconds",
            "From the decision to the last receiver's socket",
            buckets=_LATENCY_S,
            registry=r,
        )
        self.hello_s = Histogram(
            "diemcau_hello_seconds", "From hello to welcome", buckets=_LATENCY_S, registry=r
        )
        self.refused = Counter("diemcau_refused", "Messages and requests refused", ["code"], registry=r)
        self.closed = Counter("diemcau_closed", "WebSockets closed by us", ["code"], registry=r)
        self.outbox_lag_s = Gauge(
            "diemcau_outbox_lag_seconds", "How far the slowest client is behind", registry=r
        )

    def page(self) -> bytes:
        return generate_latest(self.registry)


class MediaFigures(Collector):
    """The media engine's numbers, as they are when monitoring reads them."""

    def __init__(self, read: Callable[[], Iterable[Family]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        for family in self._read():
            names = sorted({name for sample in family.samples for name in sample.labels})
            metric: CounterMetricFamily | GaugeMetricFamily
            if family.kind == "counter":
                metric = CounterMetricFamily(family.name, family.help, labels=names)
            else:
                metric = GaugeMetricFamily(family.name, family.help, labels=names)
            for sample in family.samples:
                metric.add_metric([sample.labels.get(name, "") for name in names], sample.value)
            yield metric
