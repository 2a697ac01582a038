"""Runs a plan in other processes: batches go out, small outcomes come back, and the rest stays with the coordinator."""
