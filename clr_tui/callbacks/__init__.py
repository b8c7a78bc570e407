"""Callbacks that make a training of another library a run: Lightning, Transformers, ignite."""
