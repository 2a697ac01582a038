"""How a run is shown while it goes on: plain lines, bars on a terminal, a table in a notebook.

``builtins/progress.py`` chooses; what is counted is in ``tally.py``.
"""
