"""Pages: how the exchange with Salesforce stands, one lead's history with it, the connection, comparisons."""
