"""Optimizers of torch and of other packages, each used as its authors say."""
