"""The only place with SQL: tables, migrations, and the queries of each noun."""
