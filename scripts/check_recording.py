#!/usr/bin/env python3
"""Is this recording what platforms want? Constant frame rate, keyframe every 2 s, sound and picture together.

    check_recording.py FILE [--seconds N] [--left-out N]
        --seconds   how long it should be, within 1.5 s
        --left-out  frames that a busy machine left out, as the program said; the others must be at their places
"""

import argparse
import json
import subprocess
import sys


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--left-out", type=int, default=0)
    return parser.parse_args()


def main():
    args = arguments()
    path, wanted = args.file, args.seconds
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_packets", path]
    probed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    kinds = {stream["codec_type"]: stream for stream in probed["streams"]}
    faults = []
    for kind, codec in (("video", "h264"), ("audio", "aac")):
        if kinds.get(kind, {}).get("codec_name") != codec:
            sys.exit(f"{path}: no {codec} {kind} track")
    packets = {kind: [p for p in probed["packets"] if p["codec_type"] == kind] for kind in kinds}
    times = [float(p["pts_time"]) for p in packets["video"]]
    keys = [float(p["pts_time"]) for p in packets["video"] if "K" in p["flags"]]
    up, down = kinds["video"]["r_frame_rate"].split("/")
    frame = int(down) / int(up)
    numbers = [round((t - times[0]) / frame) for t in times]
    off = max(abs(t - times[0] - n * frame) for t, n in zip(times, numbers))
    if off > 0.0015 or any(a >= b for a, b in zip(numbers, numbers[1:])):
        faults.append(f"a frame is {off:.4f} s away from its place")
    missing = numbers[-1] + 1 - len(numbers)
    if missing > args.left_out:
        faults.append(f"{missing} frames are missing, {args.left_out} were left out")
    due = []
    for t, n in zip(times, numbers):
        if not due or n >= due[-1][1] + round(2.0 / frame):
            due.append((t, n))
    if keys != [t for t, _ in due]:
        faults.append(f"keyframes at {keys}, not at {[t for t, _ in due]}")
    offset = abs(times[0] - float(packets["audio"][0]["pts_time"]))
    if offset > 0.05:
        faults.append(f"sound and picture start {offset * 1000:.0f} ms apart")
    length = times[-1] - times[0] + frame
    if wanted is not None and abs(length - wanted) > 1.5:
        faults.append(f"{length:.2f} s long, not {wanted:.0f} s")
    picture = f"{kinds['video']['width']}x{kinds['video']['height']}"
    print(f"{path}: {length:.2f} s, {picture}, {1 / frame:.2f} frames a second, {len(keys)} keyframes, {len(times)} frames")
    for fault in faults:
        print(f"{path}: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


main()
