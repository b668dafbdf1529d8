"""A small SOQL, compiled to SQLite: one object, what its links lead to, conditions, semi-joins, order, limit.

SELECT Id, Owner.Name FROM Lead
WHERE SystemModstamp >= 2026-11-21T09:00:00Z AND Status IN ('A', 'B') ORDER BY SystemModstamp, Id LIMIT 50
"""
