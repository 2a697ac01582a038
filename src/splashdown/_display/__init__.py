"""How values are shown: as HTML in notebooks, as words for people, as strict JSON for programs."""
