"""What holds for every test: no test fails because a machine was slow."""

from hypothesis import settings

# What was in force, CI's own profile too, without its limit of time for one example.
settings.register_profile("untimed", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("untimed")
