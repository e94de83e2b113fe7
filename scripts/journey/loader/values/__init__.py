"""What a value means: texts and Arrow's values become values of a column's type, as declared and no other way."""
