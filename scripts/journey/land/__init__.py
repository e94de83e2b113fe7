"""`journey land`: the default data, written into S3 as a company's three source systems would deliver it.

Sales, promotions, campaigns and coupons are public data (The Complete Journey). What the public data doesn't have is
SIMULATED, seeded and stated: the earlier states of products and households, and the whole ledger.
"""

from journey.land.landing import Landing, Prefix, land
from journey.land.timeline import LAST_WEEK, until_of_weeks

__all__ = ["LAST_WEEK", "Landing", "Prefix", "land", "until_of_weeks"]
