"""The pages and the API of one hall."""
