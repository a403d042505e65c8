"""What a trained model does, as arrays and findings."""
