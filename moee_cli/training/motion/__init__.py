"""Everything that makes the motion network: speech with phone times, the authored teacher, the corpus, its measures."""
