"""An episode played by hand in the terminal, with what an agent sees and no more."""
