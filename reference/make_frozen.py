"""Freeze or inline archives as deployment guides do: make_frozen.py torchscript|cases NAME.FORM ...

FORM is frozen or inlined (of NAME.scripted.pt, in cases of NAME.pt), frozen_traced or inlined_traced (of NAME.traced.pt). NAME.json and NAME.safetensors
keep their meaning: freezing changes no value but those of a convolution that it folds into the batch norm after it.
"""
import os
import sys

import torch


def main():
    folder = sys.argv[1]
    for made in sys.argv[2:]:
        name, form = made.split('.')
        kind, _, traced = form.partition('_')
        path = os.path.join(folder, f'{name}.{traced or "scripted"}.pt')
        source = torch.jit.load(path if os.path.exists(path) else os.path.join(folder, f'{name}.pt')).eval()
        if kind == 'frozen':
            source = torch.jit.freeze(source)
        else:
            torch._C._jit_pass_inline(source.graph)
        source.save(os.path.join(folder, f'{made}.pt'))


if __name__ == '__main__':
    main()
