"""Reports as files: CSV, XLSX and PDF, given at once or made by the worker."""
