"""What holds for every test of a plugin."""

from interrupts import allow_interrupts

allow_interrupts()
