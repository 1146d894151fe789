"""What holds for the whole suite."""

from hypothesis import HealthCheck, settings

# Test machines are shared: how long an example takes to draw or to run says nothing of the code.
settings.register_profile("hark", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hark")
