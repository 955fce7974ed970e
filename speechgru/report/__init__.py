"""Results to look at: pages, pictures, tables."""
