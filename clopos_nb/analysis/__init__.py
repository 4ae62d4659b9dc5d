"""Questions about a brand, answered from frames: pure functions, DataFrame in and DataFrame out.

Nothing here fetches. Each function says which columns it reads, so it works as well on a frame
read back from a file as on one that a session just fetched.
"""

from clopos_nb.analysis.mix import payment_mix, top_products
from clopos_nb.analysis.sales import compare_venues, daily_revenue
from clopos_nb.analysis.sums import reconcile

__all__ = ["compare_venues", "daily_revenue", "payment_mix", "reconcile", "top_products"]
