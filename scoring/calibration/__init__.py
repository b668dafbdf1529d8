"""Whether points are worth what they say: outcomes by score and rule, suggested points, drift."""
