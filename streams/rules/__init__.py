"""The language of a policy's rules: conditions, what they read, and where they hold.

In reading order: `findings` (what is judged), `vocabulary` (the names for it),
`tokens`, `syntax`, `parser` (a condition's text to a tree), `conditions` (a tree to a
function), `regions` (what a condition can and can't hold for), `rule` (a condition with
its action) and `rule_index` (which rules an upload needs looking at).
"""
