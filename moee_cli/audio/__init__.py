"""What the face hears: waveforms in, arrays on motion frames out. numpy only."""
