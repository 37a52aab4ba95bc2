#!/bin/sh
# Writes to a running server with the Python clients of InfluxDB 1 and 2, as their users do, and compares what is stored
# with what was written, bit for bit. Needs Python with venv, and a package index; leaves two servers and a few series
# behind. It is run by hand: no test of the project needs a package index.
#
#   scripts/write-with-python.sh http://127.0.0.1:8080
set -eu
url=${1:-http://127.0.0.1:8080}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check influxdb influxdb-client
"$place/venv/bin/python" - "$url" << 'PYTHON'
import json
import struct
import sys
import time
import urllib.parse
import urllib.request
import uuid

from influxdb import InfluxDBClient
from influxdb_client import InfluxDBClient as InfluxDBClient2
from influxdb_client import Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions

url = sys.argv[1]
at = urllib.parse.urlsplit(url)
run = uuid.uuid4().hex[:8]
second = int(time.time()) - 60
values = [0.1, -0.0, 1e-300, 1.7976931348623157e308, 123456.789, 7.0, 2**53]


def get(path):
    with urllib.request.urlopen(url + path) as answer:
        return answer.read().decode()


def stored(host):
    server = next(one["id"] for one in json.loads(get("/api/v1/servers")) if one["hostname"] == host)
    found = {}
    for line in get(f"/api/v1/export?server_id={server}").splitlines():
        # A negative zero is written as an integer.
        row = json.loads(line, parse_int=float)
        labels = tuple(sorted(row["labels"].items()))
        found[row["metric_type"], row["metric_name"], labels, row["timestamp"]] = float(row["value"])
    return found


def shown(micros):
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(micros // 1_000_000))
    fraction = f".{micros % 1_000_000:06d}".rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"


def check(client, host, written):
    found = stored(host)
    bits = lambda samples: {name: struct.pack(">d", float(value)) for name, value in samples.items()}
    if bits(found) != bits(written):
        sys.exit(f"{client}: written {written}\nstored {found}")
    print(f"{client}: {len(written)} samples written and found")


# The first version: dictionaries, its own batches, several precisions.
host = f"python-1-{run}"
client = InfluxDBClient(host=at.hostname, port=at.port, database="any", gzip=True)
client.create_database("any")
client.ping()
rack = 'with "quotes", commas=and spaces'
points, written = [], {}
for place, value in enumerate(values):
    points.append({
        "measurement": "first version", "tags": {"host": host, "rack": rack}, "time": second + place,
        "fields": {"value": value, "whole": place, "yes": place % 2 == 0, "text": "left out"},
    })
    time_of = shown((second + place) * 1_000_000)
    for name, number in (("value", value), ("whole", place), ("yes", place % 2 == 0)):
        written["first version", name, (("rack", rack),), time_of] = float(number)
assert client.write_points(points, time_precision="s", batch_size=3)
check("influxdb", host, written)

# The second: points, synchronous and in batches.
host = f"python-2-{run}"
with InfluxDBClient2(url=url, token="any", org="any", enable_gzip=True) as client:
    written = {}
    writer = client.write_api(write_options=SYNCHRONOUS)
    for place, value in enumerate(values):
        micros = (second * 1_000_000) + place
        point = Point("second").tag("host", host).tag("zone", "ö z").field("value", value).time(micros, WritePrecision.US)
        writer.write(bucket="any", record=point, write_precision=WritePrecision.US)
        written["second", "value", (("zone", "ö z"),), shown(micros)] = value
    with client.write_api(write_options=WriteOptions(batch_size=4, flush_interval=100)) as batches:
        for place in range(10):
            nanos = (second + place) * 1_000_000_000
            batches.write(bucket="any", record=f"second,host={host} batched={place}.25 {nanos}")
            written["second", "batched", (), shown(nanos // 1000)] = place + 0.25
    check("influxdb-client", host, written)
PYTHON
