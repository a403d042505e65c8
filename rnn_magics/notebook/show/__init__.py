"""How our objects look: rich in a notebook, plain text elsewhere."""
