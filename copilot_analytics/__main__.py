"""``python -m copilot_analytics`` is the command line."""

from copilot_analytics.cli import main

main()
