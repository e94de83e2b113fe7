"""The data: a grocer's 2017, public (The Complete Journey, 84.51°); its ledger, and earlier states of products and
households, are simulated.
"""

from deliveries.plan import feeds

__all__ = ["feeds"]
