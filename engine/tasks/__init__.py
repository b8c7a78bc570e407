"""What is trained: data on the device, augmentation, models."""
