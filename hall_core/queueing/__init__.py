"""The queue of one hall: wishes are decided into facts, facts evolve the queue. All pure."""
