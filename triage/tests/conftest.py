"""The people of the tests, and the firms."""

from zhoushan_consult.tests.people import *  # noqa: F403
