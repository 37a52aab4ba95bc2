#!/usr/bin/env python3
"""Sends metrics with the official OpenTelemetry exporter and a StatsD client, and reads each value back.

    pip install opentelemetry-exporter-otlp-proto-http statsd
    millrace serve --dev --set statsd.listen=127.0.0.1:8125 --set statsd.flush_interval=1s
    scripts/check-clients.py http://127.0.0.1:8080 127.0.0.1:8125

Exits with 1 when something is not stored as the README says.
"""

import json
import sys
import time
import urllib.parse
import urllib.request
import uuid

import statsd
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

PATIENCE_SECONDS = 15


def main(base, statsd_address):
    run = uuid.uuid4().hex[:8]
    expected = {}
    expected.update(send_otlp(base, run, AggregationTemporality.CUMULATIVE))
    expected.update(send_otlp(base, run, AggregationTemporality.DELTA))
    expected.update(send_statsd(statsd_address, run))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while missing(base, expected) and time.monotonic() < deadline:
        time.sleep(0.2)
    wrong = missing(base, expected)
    for line in wrong:
        print(line)
    print(f"{len(expected) - len(wrong)} of {len(expected)} values came back as they were sent")
    return 1 if wrong else 0


def send_otlp(base, run, temporality):
    """What the SDK makes of a few measurements; answers (type, name, label, value of the label) to value."""
    delta = temporality == AggregationTemporality.DELTA
    host = f"py-{run}-{'delta' if delta else 'total'}"
    exporter = OTLPMetricExporter(
        endpoint=f"{base}/v1/metrics",
        compression=Compression.Gzip if delta else Compression.NoCompression,
        preferred_temporality={Counter: temporality, Histogram: temporality},
    )
    exponential = View(instrument_name="exp", aggregation=ExponentialBucketHistogramAggregation())
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    resource = Resource.create({"host.name": host, "service.name": "check"})
    provider = MeterProvider(metric_readers=[reader], resource=resource, views=[exponential])
    meter = provider.get_meter("check-clients")
    meter.create_counter("hits").add(7, {"path": "/a"})
    meter.create_up_down_counter("level").add(-3)
    meter.create_gauge("load").set(0.1)
    histogram, exp = meter.create_histogram("size"), meter.create_histogram("exp")
    for value in (1.0, 30.0, 20_000.0):
        histogram.record(value)
        exp.record(value)
    provider.shutdown()
    counts = "delta_histogram" if delta else "histogram"
    return {
        (host, "delta" if delta else "counter", "hits", ("path", "/a")): 7.0,
        (host, "sum", "level", None): -3.0,
        (host, "gauge", "load", None): 0.1,
        (host, counts, "size_count", None): 3.0,
        (host, counts, "size_sum", None): 20_031.0,
        (host, counts, "size_max", None): 20_000.0,
        (host, counts, "size_bucket", ("le", "25")): 1.0,
        (host, counts, "size_bucket", ("le", "50")): 2.0,
        (host, counts, "size_bucket", ("le", "+Inf")): 3.0,
        (host, counts, "exp_bucket", ("le", "1")): 1.0,
        (host, counts, "exp_bucket", ("le", "32")): 2.0,
        (host, counts, "exp_bucket", ("le", "32768")): 3.0,
        (host, counts, "exp_sum", None): 20_031.0,
    }


def send_statsd(address, run):
    server, port = address.rsplit(":", 1)
    prefix = f"py{run}"
    client = statsd.StatsClient(server, int(port), prefix=prefix)
    client.incr("hits", 5)
    client.gauge("load", 2.5)
    client.timing("time", 12.5)
    client.set("users", "a")
    stream = statsd.TCPStatsClient(server, int(port), prefix=prefix)
    stream.incr("streamed", 3)
    stream.close()
    return {
        ("statsd", "delta", f"{prefix}.hits", None): 5.0,
        ("statsd", "gauge", f"{prefix}.load", None): 2.5,
        ("statsd", "timer", f"{prefix}.time_sum", None): 12.5,
        ("statsd", "timer", f"{prefix}.time", ("quantile", "0.5")): 12.5,
        ("statsd", "set", f"{prefix}.users", None): 1.0,
        ("statsd", "delta", f"{prefix}.streamed", None): 3.0,
    }


def missing(base, expected):
    servers = {row["hostname"]: row["id"] for row in ask(base, "/api/v1/servers", {})}
    wrong = []
    for (host, kind, name, label), value in expected.items():
        query = {"server_id": servers.get(host, str(uuid.UUID(int=0))), "metric_type": kind, "metric_name": name}
        if label:
            query[f"label.{label[0]}"] = label[1]
        found = [row["value"] for row in ask(base, "/api/v1/metrics", query)["metrics"]]
        if found != [value]:
            wrong.append(f"{host} {kind} {name} {label or ''}: {found} instead of [{value}]")
    return wrong


def ask(base, path, query):
    with urllib.request.urlopen(f"{base}{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
