"""Files that name packages, and what is known of the packages."""
