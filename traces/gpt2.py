"""gpt2.py - a GPT-2 of any size over bytes, its parameters named as in Hugging Face's GPT-2."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Conv1D(nn.Module):
    """GPT-2's linear layer: a weight of [inputs, outputs], the transpose of nn.Linear's."""

    def __init__(self, n_in, n_out, std):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out) * std)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.weight + self.bias


class Attention(nn.Module):
    """Causal self-attention, [batch, length, width] to the same."""

    def __init__(self, width, n_heads, n_layers, std):
        super().__init__()
        self.n_heads = n_heads
        self.c_attn = Conv1D(width, 3 * width, std)
        self.c_proj = Conv1D(width, width, std / math.sqrt(2 * n_layers))

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = (
            part.view(n, length, self.n_heads, -1).transpose(1, 2)
            for part in self.c_attn(x).split(width, dim=2)
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        scores = scores.masked_fill(future, float("-inf"))
        mixed = (scores.softmax(dim=3) @ v).transpose(1, 2).reshape(n, length, width)
        return self.c_proj(mixed)


class MLP(nn.Module):
    """Two layers with a GELU between them."""

    def __init__(self, width, n_layers, std):
        super().__init__()
        self.c_fc = Conv1D(width, 4 * width, std)
        self.c_proj = Conv1D(4 * width, width, std / math.sqrt(2 * n_layers))

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    """One transformer block, norms before attention and before the MLP."""

    def __init__(self, width, n_heads, n_layers, std):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, n_heads, n_layers, std)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = MLP(width, n_layers, std)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """Bytes in, logits over the next byte out; the output layer is tied to the embedding wte."""

    def __init__(self, n_layers, width, n_heads, length, vocabulary=256, std=0.02):
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocabulary, width),
                "wpe": nn.Embedding(length, width),
                "h": nn.ModuleList(Block(width, n_heads, n_layers, std) for _ in range(n_layers)),
                "ln_f": nn.LayerNorm(width),
            }
        )
        nn.init.normal_(self.transformer["wte"].weight, std=std)
        nn.init.normal_(self.transformer["wpe"].weight, std=std)

    def forward(self, tokens):
        part = self.transformer
        x = part["wte"](tokens) + part["wpe"](torch.arange(tokens.shape[1]))
        for block in part["h"]:
            x = block(x)
        return part["ln_f"](x) @ part["wte"].weight.t()

    def loss(self, inputs, targets):
        """Mean cross-entropy in nats per byte."""
        logits = self(inputs)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))
