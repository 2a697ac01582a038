"""What holds for every test."""

from interrupts import allow_interrupts

allow_interrupts()
