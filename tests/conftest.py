"""What holds for every test."""

from hypothesis import settings

from tests.helpers.modest import be_modest

# A shared core may stall any example; the test's own time limit is what catches a real hang.
settings.register_profile("here", deadline=None)
settings.load_profile("here")

be_modest()
