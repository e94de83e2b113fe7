"""The default data, as a company's three source systems would deliver it.

Sales, promotions, campaigns and coupons are public data (The Complete Journey). What the public data doesn't have is
SIMULATED, seeded and stated: the earlier states of products and households, and the whole ledger.
"""
