"""How our objects are shown: rich in a notebook, plain text elsewhere."""
