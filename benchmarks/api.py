"""What the API costs at a million bookings and at a tenth of them, against the real server, each figure beside its floor.

Every size has a database of its own, made once and kept in var/bench; its measurements run in a process of their own.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from benchmarks import plot

VAR_DIR = Path(os.environ.get("VAR_DIR", "var/bench"))
RESULTS = Path(__file__).parent
SIZES = {"large": 1_000, "tenth": 100}  # rooms, of 1,000 bookings each
SMALL = {"large": 20, "tenth": 2}  # `make bench ARGS="api small"`: to see that it runs
KEPT_FOR = 20 * 24 * 3600  # seconds; the dataset stands around the day on which it was made

Result = dict[str, Any]


def main(*, small: bool) -> None:
    results = {name: _measure(rooms, share=20 if small else 1) for name, rooms in (SMALL if small else SIZES).items()}
    told = table(results) + "\n" + aims(results)
    print(told)
    folder = VAR_DIR if small else RESULTS
    (folder / "api.md").write_text(told)
    (folder / "api.svg").write_text(plot.draw(results))
    print(f"\nWritten: {folder}/api.md and api.svg")


def _measure(rooms: int, *, share: int) -> Result:
    name, kept = f"bench_{rooms}", VAR_DIR / f"bench_{rooms}.json"
    base = os.environ["DATABASE_URL"]
    if not kept.exists() or time.time() - kept.stat().st_mtime > KEPT_FOR:
        kept.unlink(missing_ok=True)
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name}")
    result = VAR_DIR / f"result_{rooms}.json"
    url = make_conninfo(**{**conninfo_to_dict(base), "dbname": name})  # type: ignore[arg-type]
    command = [sys.executable, "-m", "benchmarks.measure_api", str(rooms), str(kept), str(result), str(share)]
    subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=True)
    found: Result = json.loads(result.read_text())
    return found


def table(results: dict[str, Result]) -> str:
    """Both sizes, line by line."""
    large, tenth = results["large"], results["tenth"]
    lines = [
        f"{large['bookings']:,} bookings in {large['organizations']} organizations, {large['rooms']:,} rooms in the biggest;"
        f" beside it {tenth['bookings']:,}. Load of the machine at the start {large['load']:.1f}. Milliseconds.\n",
        "| call | clients | p50 | p95 | p99 | /s | floor p50 | floor /s | ratio | at a tenth: p50 | grows |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for now, before in zip(large["lines"], tenth["lines"], strict=True):
        lines.append(
            f"| {now['call']} | {now['clients']} | {now['p50']:.2f} | {now['p95']:.2f} | {now['p99']:.2f} | {now['rate']:.0f}"
            f" | {now['floor_p50']:.2f} | {now['floor_rate']:.0f} | {now['p50'] / now['floor_p50']:.1f}"
            f" | {before['p50']:.2f} | {now['p50'] / before['p50']:.2f} |"
        )
    lines += ["", "| its statements alone, through psycopg | p50 | at a tenth | grows |", "| --- | ---: | ---: | ---: |"]
    for name, now in large["statements"].items():
        before = tenth["statements"][name]
        lines.append(f"| {name} | {now:.2f} | {before:.2f} | {now / before:.2f} |")
    return "\n".join(lines) + "\n"


def aims(results: dict[str, Result]) -> str:
    """What was promised, and whether it holds."""
    one = {line["call"]: line for line in results["large"]["lines"] if line["clients"] == 1}
    tenth = {line["call"]: line for line in results["tenth"]["lines"] if line["clients"] == 1}
    first, deep = (next(line for call, line in one.items() if text in call) for text in ("page 1", "page deep"))
    checks = [
        *((f"{call}: at most {most}× its floor", line["p50"] / line["floor_p50"], most)
          for call, line in one.items() if (most := line["most"])),
        ("a page deep inside: at most 1.5× page 1", deep["p50"] / first["p50"], 1.5),
        *((f"{call}: p99 at most 5× p50", line["p99"] / line["p50"], 5) for call, line in one.items()),
        *((f"{call}: does not grow with ten times the bookings (1.5×)", line["p50"] / tenth[call]["p50"], 1.5)
          for call, line in one.items()),
    ]  # fmt: skip
    rows = [f"| {what} | {figure:.2f} | {'yes' if figure <= most else 'no'} |" for what, figure, most in checks]
    return "\n".join(["| aim | figure | met |", "| --- | ---: | --- |", *rows]) + "\n"
