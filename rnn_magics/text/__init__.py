"""Characters become token ids."""
