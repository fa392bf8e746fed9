"""How good the scores are, measured in the open: the scorecard and its parts.

out_of_fold -> scored_rows -> sections -> scorecard -> page
"""
