"""What a GPU does with the zoo."""
