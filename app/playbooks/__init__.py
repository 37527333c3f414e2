"""How we respond: intake questions and tasks."""
