"""One module a format, found by its name; see `format_table.Format`."""
