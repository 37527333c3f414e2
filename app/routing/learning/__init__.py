"""Who is likely to close a case, learnt from those that were closed: a pure core, and the tenant's models of it.

`features`, `model`, `measures` are pure and need nothing installed; only `fit` needs the extra `learn`.
"""
