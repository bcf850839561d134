"""SqueezeNet v1.0 in PyTorch, layer by layer as models/SqueezeNet's prototxt defines it; weights are random."""

import torch
from torch import nn


class Fire(nn.Module):
    """A squeeze to few channels, then 1x1 and 3x3 expansions side by side."""

    def __init__(self, channels, squeezed, expanded):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.cat((torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))), 1)


def pool():
    # Caffe rounds a pooling's size up.
    return nn.MaxPool2d(3, 2, ceil_mode=True)


class SqueezeNet(nn.Module):
    """227 x 227 images to 1000 scores, before the softmax."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2),
            nn.ReLU(),
            pool(),
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            Fire(128, 32, 128),
            pool(),
            Fire(256, 32, 128),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            pool(),
            Fire(512, 64, 256),
            nn.Dropout(0.5),
            nn.Conv2d(512, 1000, 1, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )

    def forward(self, x):
        return self.body(x)
