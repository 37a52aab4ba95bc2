#!/bin/sh
# Pushes to a running server with the Python client of Prometheus, as batch jobs do, and compares what is stored with
# what was pushed. Needs Python with venv, and a package index; leaves one server and a few series behind.
#
#   scripts/push-with-python.sh http://127.0.0.1:8080
set -eu
url=${1:-http://127.0.0.1:8080}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check prometheus-client
"$place/venv/bin/python" - "$url" << 'PYTHON'
import json
import sys
import urllib.request
import uuid

from prometheus_client import (
    CollectorRegistry, Counter, Gauge, Histogram, delete_from_gateway, push_to_gateway, pushadd_to_gateway)

url = sys.argv[1]
instance = f"batch-{uuid.uuid4().hex[:8]}"
registry = CollectorRegistry()
gauge = Gauge("job_temperature", "A gauge", ["sensor"], registry=registry)
gauge.labels('with "quotes" and \\ and\nlines').set(0.1)
Counter("job_runs", "A counter", registry=registry).inc(7)
latency = Histogram("job_seconds", "A histogram", buckets=[0.5, 1, 5], registry=registry)
for seconds in (0.3, 0.7, 2.5):
    latency.observe(seconds)

group = {"instance": f"{instance}:80", "path": "/var/tmp", "empty": ""}
pushed = {}
for family in registry.collect():
    for sample in family.samples:
        labels = {**sample.labels, **group, "job": "nightly batch"}
        labels = {name: value for name, value in labels.items() if value}
        pushed[sample.name, json.dumps(labels, sort_keys=True)] = sample.value
push_to_gateway(url, job="nightly batch", registry=registry, grouping_key=group)
pushadd_to_gateway(url, job="nightly batch", registry=registry, grouping_key=group)
delete_from_gateway(url, job="nightly batch", grouping_key=group)


def get(path):
    with urllib.request.urlopen(url + path) as answer:
        return answer.read().decode()


server = next(one["id"] for one in json.loads(get("/api/v1/servers")) if one["hostname"] == instance)
stored = {}
for line in get(f"/api/v1/export?server_id={server}").splitlines():
    row = json.loads(line)
    stored[row["metric_name"], json.dumps(row["labels"], sort_keys=True)] = row["value"]
if stored != pushed:
    sys.exit(f"pushed {pushed}\nstored {stored}")
print(f"{len(pushed)} series pushed and found")
PYTHON
