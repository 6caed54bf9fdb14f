"""The machine that talks to hosts: scope, plan, connections with limits, a record of all sent."""
