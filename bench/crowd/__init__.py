"""A crowd of BDRs at work: what each does and when, through pages as a browser asks for them."""
