"""The pages, one module for each topic. Each module exports its `routes`."""
