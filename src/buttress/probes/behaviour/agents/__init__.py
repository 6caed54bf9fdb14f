"""Agents with tools in a simulated office: is the user's task done, is the attacker's goal reached?

After AgentDojo (Debenedetti et al. 2024, arXiv:2406.13352), with an office, tasks and goals of our
own in English and Chinese.
"""
