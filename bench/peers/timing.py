"""Times work on a GPU by its own events: medians over rounds of about `seconds` each."""

import json
import statistics

import torch


def seconds_of(work, seconds=0.2, rounds=9):
    def once(repeats):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repeats):
            work()
        stop.record()
        stop.synchronize()
        return start.elapsed_time(stop) * 1e-3 / repeats

    for _ in range(3):
        once(1)
    repeats = max(1, round(seconds / once(5)))
    return statistics.median(once(repeats) for _ in range(rounds))


def report(what, batch, seconds):
    row = {
        "peer": f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}",
        "gpu": torch.cuda.get_device_name(),
        "what": what,
        "batch": batch,
        "seconds": seconds,
        "images_per_s": batch / seconds,
    }
    print(json.dumps(row), flush=True)


def report_failure(what, batch, error):
    print(json.dumps({"what": what, "batch": batch, "failed": str(error).split("\n")[0][:200]}), flush=True)
