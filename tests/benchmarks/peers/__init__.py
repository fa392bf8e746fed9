"""The same pipeline on other stream processors, each in a process of its own."""
