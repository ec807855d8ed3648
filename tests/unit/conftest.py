"""Hypothesis without a clock and a folder of its own: a busy machine is no reason to fail."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
