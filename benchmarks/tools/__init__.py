"""What benchmarks share: a load generator, a stage to measure on, a table of figures."""
