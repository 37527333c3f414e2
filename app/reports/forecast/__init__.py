"""How likely an open case is to miss its target: a pure core, and the tenant's models of it.

`features`, `hazard`, `course`, `measures` are pure and need nothing installed; only `fit` needs the extra `learn`.
"""
