"""Rules as data: one schema, one loader, and how their findings are reported."""
