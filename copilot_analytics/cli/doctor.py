"""``doctor``: what stands between this computer and the reports."""

from __future__ import annotations

import click

from copilot_analytics.cli.shared import command, scope_options


@click.command()
@scope_options
@command
def doctor(output, org, enterprise) -> int:
    """Check token, rights, policy, network and hosts, and say what to do next."""
    from copilot_analytics.doctor import diagnose

    found = diagnose(org=org, enterprise=enterprise)
    output.result(found.as_dict(), str(found))
    return found.exit_code
