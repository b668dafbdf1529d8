"""What the pages of scoring show, put together for their templates."""
