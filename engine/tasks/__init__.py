"""Tasks: data on the device, augmentation, models."""
