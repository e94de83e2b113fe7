"""Write, audit, publish: what readers see while builds run, fail, are killed and rolled back."""
