"""How host and built-in plugins call code that is not theirs."""
