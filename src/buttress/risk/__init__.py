"""Risk: catalogue, scenario model, policy, verdicts, planner."""
