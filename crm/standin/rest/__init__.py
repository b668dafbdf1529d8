"""The calls of the REST API, by subject: each module has the routes that it answers."""
