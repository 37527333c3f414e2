"""The sample tenant: generated, the same for the same day, played through the services in order of time."""
