"""Data the program needs at run time: policies, broker set-up, samples."""
