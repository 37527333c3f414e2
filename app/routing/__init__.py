"""Who owns it: policies, the condition language, the choice among people and its record."""
