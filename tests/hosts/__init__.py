"""Many hosts: replicas behind nginx, PostgreSQL that fails over, PgBouncer, clocks that differ."""
