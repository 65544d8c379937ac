"""llama.py - a LLaMA of any size over bytes, named as in Hugging Face; LoRA named as in PEFT."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class RMSNorm(nn.Module):
    """x / rms(x) * weight over the last axis."""

    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotation(length, n_channels, base=10000.0):
    """Cosines and sines of RoPE, [length, n_channels] each."""
    frequency = base ** (-torch.arange(0, n_channels, 2).float() / n_channels)
    angle = torch.arange(length).float()[:, None] * frequency
    angle = torch.cat([angle, angle], dim=1)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """Turns queries or keys [batch, heads, length, channels] by their positions."""
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-high, low], dim=-1) * sin


class Attention(nn.Module):
    """Causal self-attention with RoPE, [batch, length, width] to the same."""

    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = (
            layer(x).view(n, length, self.n_heads, -1).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        cos, sin = rotation(length, q.shape[-1])
        scores = rotate(q, cos, sin) @ rotate(k, cos, sin).transpose(2, 3)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        scores = (scores / math.sqrt(q.shape[-1])).masked_fill(future, float("-inf"))
        mixed = (scores.softmax(dim=3) @ v).transpose(1, 2).reshape(n, length, width)
        return self.o_proj(mixed)


class MLP(nn.Module):
    """SwiGLU: down(silu(gate(x)) * up(x))."""

    def __init__(self, width, hidden):
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """One decoder layer."""

    def __init__(self, width, n_heads, hidden):
        super().__init__()
        self.self_attn = Attention(width, n_heads)
        self.mlp = MLP(width, hidden)
        self.input_layernorm = RMSNorm(width)
        self.post_attention_layernorm = RMSNorm(width)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class LLaMA(nn.Module):
    """Bytes in, logits over the next byte out."""

    def __init__(self, n_layers, width, n_heads, hidden, vocabulary=256, std=0.02):
        super().__init__()
        self.model = nn.ModuleDict(
            {
                "embed_tokens": nn.Embedding(vocabulary, width),
                "layers": nn.ModuleList(Block(width, n_heads, hidden) for _ in range(n_layers)),
                "norm": RMSNorm(width),
            }
        )
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=std)

    def forward(self, tokens):
        x = self.model["embed_tokens"](tokens)
        for block in self.model["layers"]:
            x = block(x)
        return self.lm_head(self.model["norm"](x))

    def loss(self, inputs, targets):
        """Mean cross-entropy in nats per byte."""
        logits = self(inputs)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))


class LoRA(nn.Module):
    """A frozen linear layer plus B(A(dropout(x))) * alpha / rank; B starts at zero, as in PEFT."""

    def __init__(self, base, rank, alpha, dropout):
        super().__init__()
        self.base_layer = base
        down = nn.Linear(base.in_features, rank, bias=False)
        up = nn.Linear(rank, base.out_features, bias=False)
        nn.init.kaiming_uniform_(down.weight, a=math.sqrt(5))
        nn.init.zeros_(up.weight)
        self.lora_A = nn.ModuleDict({"default": down})
        self.lora_B = nn.ModuleDict({"default": up})
        self.lora_dropout = nn.Dropout(dropout)
        self.scaling = alpha / rank

    def forward(self, x):
        low = self.lora_A["default"](self.lora_dropout(x))
        return self.base_layer(x) + self.lora_B["default"](low) * self.scaling


def add_lora(model, rank, alpha, dropout):
    """Freezes `model` and puts a LoRA pair beside every projection of its layers."""
    model.requires_grad_(False)
    for block in model.model["layers"]:
        for module in (block.self_attn, block.mlp):
            for name, layer in list(module.named_children()):
                setattr(module, name, LoRA(layer, rank, alpha, dropout))
