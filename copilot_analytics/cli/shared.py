"""What the commands have in common: options, messages, errors as exit codes, the client."""

from __future__ import annotations

import functools
import json
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import click
from tqdm import tqdm

from copilot_analytics import progress
from copilot_analytics.errors import CopilotAnalyticsError

ARCHIVE = "archive"
# Seconds that a command may wait for GitHub's limits: a person looks on, or nobody does.
WAIT_BUDGET = {True: 15 * 60, False: 60 * 60}


class Output:
    """Where a command's messages and its result go."""

    def __init__(self, *, as_json: bool, quiet: bool):
        self.as_json, self.quiet = as_json, quiet

    def say(self, text: str) -> None:
        """Show a message on the way."""
        if not self.quiet:
            tqdm.write(text, file=sys.stderr)

    def result(self, facts: dict, text: str) -> None:
        """Show the result: facts for programs, text for people."""
        if self.as_json or text:
            click.echo(json.dumps(facts, default=str, indent=2) if self.as_json else text)

    def bar(self, items: list, what: str) -> tqdm:
        """Show a progress bar to a person who waits."""
        return progress.bar(items, description=what, unit="report", hidden=self.quiet)

    def client(self, **settings):
        """Return a client with the settings of the environment."""
        from copilot_analytics.client import Client, Settings

        # The address to authorise a token for single sign-on is a secret: for a person's eyes only.
        is_watched = sys.stderr.isatty()
        shown = functools.partial(click.echo, err=True) if is_watched else None
        given = {
            "show_sso_url": shown,
            "warn": lambda text: self.say(f"Warning: {text}"),
            "wait_budget": WAIT_BUDGET[is_watched],
        }
        return Client(Settings.from_environment(**given | settings))


def command(function: Callable) -> Callable:
    """Give a command the options that all have, and turn errors of the family into exit codes."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @click.option("--debug", is_flag=True, help="Log every step, without secrets.")
    @click.option("--quiet", is_flag=True, help="No progress, no messages.")
    @functools.wraps(function)
    def wrapped(*arguments, as_json: bool, debug: bool, quiet: bool, **options):
        if debug:
            logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
        output = Output(as_json=as_json, quiet=quiet or as_json)
        warnings.showwarning = lambda message, *_, **__: output.say(f"Warning: {message}")
        try:
            code = function(output, *arguments, **options)
        except CopilotAnalyticsError as error:
            if as_json:
                click.echo(json.dumps(error.as_dict(), indent=2))
            else:
                click.echo(f"Error: {error}", err=True)
            code = error.exit_code
        sys.exit(code or 0)

    return wrapped


def scope_options(function: Callable) -> Callable:
    """Add ``--org`` and ``--enterprise``."""
    function = click.option("--enterprise", metavar="ENT", help="Name of the enterprise.")(function)
    return click.option("--org", metavar="ORG", help="Name of the organization.")(function)


archive_option = click.option(
    "--archive",
    type=click.Path(path_type=Path, readable=False),  # said by the archive, with its exit code
    metavar="DIR",
    help=f"Where the history is kept.  [default: {ARCHIVE}]",
)


class Terminated(BaseException):
    """SIGTERM was received: everything that is open is to be closed."""
