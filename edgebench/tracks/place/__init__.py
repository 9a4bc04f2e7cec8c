"""The Place track: where the experts of a mixture-of-experts model stand, and how many copies there are of each."""
