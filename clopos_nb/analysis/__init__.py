"""Questions about a brand, answered from frames: pure functions, DataFrame in and DataFrame out.

Nothing here fetches. Each function says which columns it reads, so it works as well on a frame
read back from a file as on one that a session just fetched.
"""

from clopos_nb.analysis.growth import same_store
from clopos_nb.analysis.hours import hour_by_weekday
from clopos_nb.analysis.menu import menu_engineering, sellable
from clopos_nb.analysis.mix import payment_mix, top_products
from clopos_nb.analysis.recipes import raw_ingredients
from clopos_nb.analysis.sales import compare_venues, daily_revenue
from clopos_nb.analysis.sums import reconcile

__all__ = [
    "compare_venues",
    "daily_revenue",
    "hour_by_weekday",
    "menu_engineering",
    "payment_mix",
    "raw_ingredients",
    "reconcile",
    "same_store",
    "sellable",
    "top_products",
]
