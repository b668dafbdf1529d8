"""A local stand-in for the part of Salesforce's REST API that the portal uses.

It is a real HTTP server over a small SQLite file, knows nothing of the portal, and is faithful where
faithfulness is what finds bugs: four shapes of error, tokens that expire, an assignment rule that takes the
owner away, second-precise stamps, connections cut after the commit. Clients drive it unmodified.
"""
