"""What the toolkit is compared with, and how it is measured; figures in ``docs/benchmarks.md``."""
