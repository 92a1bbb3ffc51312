"""Sound and picture files: samples and frames in, one film out. The only package that runs ffmpeg or imports PyAV."""
