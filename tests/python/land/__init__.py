"""`journey land`: what it writes, read back from the bytes with other tools than those that wrote them."""
