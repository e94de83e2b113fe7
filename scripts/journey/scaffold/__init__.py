"""`journey scaffold`: files that lie in S3 become a feed's YAML and a staging view, for a person to check.

Here, and nowhere in the loader, values are looked at to guess what they are. Whatever is guessed stands in the YAML
with what it rests on, and what can't be decided is said and left as text.
"""
