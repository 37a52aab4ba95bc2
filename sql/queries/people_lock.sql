SELECT pg_advisory_xact_lock(x'6d696c6c'::int, 1000)
