"""The demo city: simulated operators, portals and units whose true figures are known.

`python -m directive_etl.demo_city build` writes 14 days of what they send, and the truth beside it. Nothing
here reads the warehouse: the end-to-end test compares the two.
"""
