"""Policies as files: reading their parts, checking them, testing and comparing them.

`rule_reader` and `threshold_reader` make rules of YAML, `coverage` finds rules that can
never act, `cases` runs the tests that stand beside the rules, `explaining` says why a
rule fired or didn't, `differences` compares two policies, and `outward_maps` says what
others call our categories.
"""
