#!/usr/bin/env python3
"""Did the demo's camera move as its show says? Reads the lines of `vistter demo --json`.

    check_demo.py FILE
"""

import json
import sys


def main():
    lines = [json.loads(line) for line in open(sys.argv[1])]
    events = [line for line in lines if line.get("type") == "event"]
    arrived = [e["preset"] for e in events if e["event"] == "ptz" and e["head"] == "arrived"]
    shown = [e for e in events if e["event"] == "on_air" and e["view"] == {"camera": "pier"}]
    faults = [f"the pier's camera {e['head']}: {e}" for e in events if e["event"] == "ptz" and e["head"] == "failed"]
    if arrived[:1] != ["lighthouse"]:
        faults.append(f"the camera arrived at {arrived}, not first at the lighthouse")
    # A machine that is too slow for real time may miss a shot, but it never shows another view than the planned one.
    slow = lines[-1]["type"] == "demo" and next(s for s in lines if s["type"] == "summary")["program"]["counters"]["skipped"] > 0
    views = [e.get("preset") for e in shown]
    if views[:1] != ["lighthouse"] and not slow or any(v not in ("lighthouse", "ship", "house") for v in views):
        faults.append(f"the pier was shown as {shown}, not first at the lighthouse")
    faults += [f"on air while it moved: {e}" for e in shown if e.get("moving")]
    print(f"presets reached: {', '.join(arrived)}; shots of them on air: {', '.join(str(e.get('preset')) for e in shown)}")
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(bool(faults))


main()
