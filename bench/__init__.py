"""Benchmarks: every figure stands beside a reference measured in the same run on the same machine."""
