"""What the actions that save files share: their options, and what they refuse before the first byte."""
