"""How a table lies on disk: its columns, its files, and its folder."""
