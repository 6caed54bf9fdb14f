"""The system under assessment: manifest, assets, discovery."""
