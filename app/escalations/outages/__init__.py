"""Outages: one cause behind escalations of many accounts, told to each, ended with each."""
