"""`python -m sample_agent`: the command line."""

from sample_agent.cli import main

main()
