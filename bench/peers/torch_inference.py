"""SqueezeNet v1.0 in float16, channels last, at batch 1 and 256: a CUDA graph of the eager net, which needs no compiler,
then torch.compile with CUDA graphs as it is and with kernels tuned for minutes. One line of JSON each.

    python3 bench/peers/torch_inference.py [--batches 1,256]
"""

import argparse

import torch

from squeezenet import SqueezeNet
from timing import report, report_failure, seconds_of


def graph_of(net, x):
    """One CUDA graph of a forward pass, and the call that replays it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            net(x)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        net(x)
    return graph.replay


def compiled(mode):
    # Both modes record CUDA graphs by themselves.
    def way(net, x):
        torch._dynamo.reset()
        fast = torch.compile(net, mode=mode, dynamic=False)
        return lambda: fast(x)

    return way


# What takes longest comes last: it may be cut off.
WAYS = {
    "float16, eager, CUDA graph": graph_of,
    "float16, torch.compile, CUDA graphs": compiled("reduce-overhead"),
    "float16, torch.compile, CUDA graphs, tuned": compiled("max-autotune"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", default="1,256")
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    net = SqueezeNet().eval().cuda().half().to(memory_format=torch.channels_last)
    batches = [int(batch) for batch in options.batches.split(",")]
    with torch.inference_mode():
        for what, way in WAYS.items():
            for batch in batches:
                x = torch.rand(batch, 3, 227, 227, device="cuda", dtype=torch.half)
                x = x.contiguous(memory_format=torch.channels_last)
                try:
                    report(f"inference, {what}", batch, seconds_of(way(net, x)))
                except Exception as error:  # a compiler that is missing: the other ways still count
                    report_failure(f"inference, {what}", batch, error)


if __name__ == "__main__":
    main()
