"""The automatic answer to a lead that arrives outside working hours (SLA-3, NOTE-5): `promising` decides
that there is to be one, `sending` sends it once, or says why it does not, and `words` is what it says."""
