"""What a tokenizer is, and those of bytes, of learnt pieces and of grapheme clusters."""
