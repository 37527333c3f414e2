"""Screenshots and logs on a case: received as they stream in, kept by hash, scanned, opened by expiring links."""
