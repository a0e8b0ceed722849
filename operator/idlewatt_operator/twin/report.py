"""The report."""

from idlewatt_operator.twin.accounts import Accounts
from idlewatt_operator.twin.night import Play


def page(play: Play, accounts: Accounts) -> str:
    """The whole page."""
    return f"<!doctype html><title>{play.scenario.name}</title>{accounts.wakes}"
