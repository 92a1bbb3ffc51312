"""Training of the motion network (`models.motion_denoiser`) on a corpus of `training.motion`."""
