"""SqueezeNet v1.0 trained in TF32: forward, backward and SGD with momentum and weight decay, eager and compiled. One
line of JSON each.

    python3 bench/peers/torch_training.py [--batches 32,256]
"""

import argparse

import torch
from torch import nn

from squeezenet import SqueezeNet
from timing import report, report_failure, seconds_of


def step_of(net, batch, size=227, device="cuda"):
    """One iteration, on images and labels that stay on the device."""
    x = torch.rand(batch, 3, size, size, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(1000, (batch,), device=device)
    solver = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=2e-4)
    loss = nn.CrossEntropyLoss()

    def step():
        solver.zero_grad(set_to_none=True)
        loss(net(x), labels).backward()
        solver.step()

    return step


WAYS = {"TF32, eager": lambda net: net, "TF32, torch.compile": lambda net: torch.compile(net, dynamic=False)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", default="32,256")
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    batches = [int(batch) for batch in options.batches.split(",")]
    for what, way in WAYS.items():
        for batch in batches:
            try:
                net = SqueezeNet().train().cuda().to(memory_format=torch.channels_last)
                report(f"training, {what}", batch, seconds_of(step_of(way(net), batch)))
            except Exception as error:  # a compiler that is missing, or too little memory: the others still count
                report_failure(f"training, {what}", batch, error)


if __name__ == "__main__":
    main()
