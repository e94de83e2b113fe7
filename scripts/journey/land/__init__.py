"""`journey land`: what a company's source systems would deliver, written into S3; its land.py says what that is."""

from journey.land.landing import Landing, Prefix, land

__all__ = ["Landing", "Prefix", "land"]
