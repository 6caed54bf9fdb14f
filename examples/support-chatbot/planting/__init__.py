"""What plant.py writes."""
