"""What people see of a built region: figures, bars in the terminal, a map and histograms as pictures, a page."""
