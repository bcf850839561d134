"""SqueezeNet v1.0 trained in float32 on the processor: a list of the seconds of each iteration.

    python3 bench/peers/torch_training_cpu.py [--batch 25] [--size 256] [--threads 1] [--iterations 5]
"""

import argparse
import json
import time

import torch

from squeezenet import SqueezeNet
from torch_training import step_of

WARM_UP = 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    net = SqueezeNet().train().to(memory_format=torch.channels_last)
    step = step_of(net, options.batch, options.size, device="cpu")
    seconds = []
    for _ in range(WARM_UP + options.iterations):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds[WARM_UP:]))


if __name__ == "__main__":
    main()
