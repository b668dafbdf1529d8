"""The parts of the engine's statement, one module per subject; `scoring.compile` puts them together. Pure."""
