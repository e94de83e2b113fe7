"""The retailer's books. SIMULATED: the real ones are not public.

They follow from the real sales by fixed posting rules (`rules`), so that they balance and tie to the tills.
"""
