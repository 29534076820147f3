"""The shared fixtures: officers and firms."""

from zhoushan_consult.tests.people import *  # noqa: F403
